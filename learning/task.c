#include "learning/task.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/yaml.h"
#include "base/yaml_place.h"
#include "learning/target.h"
#include "protocols/bath.h"
#include "protocols/knots.h"

/* What a task that does not say otherwise is trained with: enough for a dozen or two parameters. */
static const struct task defaults = {
	.nx = 2,
	.ny = 1,
	.knots = 24,
	.readout_weight = 0.5,
	.bath = "white",
	.training = {.batch = 2048, .steps = 600, .rate = 0.1, .sample = 131072, .held = 65536},
};

/* The document as it stands in the file; a field that may be left out is a pointer, NULL when it is. */
struct training_document {
	uint64_t *batch, *steps, *sample, *held;
	double *rate;
};

struct document {
	char *name, *summary, *target, *readout, *bath;
	uint64_t *lattice;
	unsigned n_lattice;
	char **terms;
	unsigned n_terms;
	uint64_t *knots;
	struct training_document *training;
};

static const cyaml_schema_field_t training_fields[] = {
	CYAML_FIELD_UINT_PTR("batch", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct training_document, batch),
	CYAML_FIELD_UINT_PTR("steps", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct training_document, steps),
	CYAML_FIELD_FLOAT_PTR("rate", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct training_document, rate),
	CYAML_FIELD_UINT_PTR("sample", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct training_document, sample),
	CYAML_FIELD_UINT_PTR("held", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct training_document, held),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t whole_number = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint64_t)};
static const cyaml_schema_value_t line = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, SPEC_MAX_TEXT - 1)};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct document, name, 1, 63),
	CYAML_FIELD_STRING_PTR("summary", CYAML_FLAG_POINTER, struct document, summary, 1, 255),
	CYAML_FIELD_SEQUENCE_COUNT("lattice", CYAML_FLAG_POINTER, struct document, lattice, n_lattice, &whole_number, 2,
				   2),
	CYAML_FIELD_STRING_PTR("target", CYAML_FLAG_POINTER, struct document, target, 1, SPEC_MAX_TEXT - 1),
	CYAML_FIELD_SEQUENCE_COUNT("terms", CYAML_FLAG_POINTER, struct document, terms, n_terms, &line, 1,
				   NETWORK_MAX_TERMS),
	CYAML_FIELD_UINT_PTR("knots", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, knots),
	CYAML_FIELD_STRING_PTR("readout", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, readout, 1, 15),
	CYAML_FIELD_STRING_PTR("bath", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, bath, 1, 63),
	CYAML_FIELD_MAPPING_PTR("training", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct document, training,
				training_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct document, fields)};

static const struct {
	const char *name;
	double weight;
} readouts[] = {{"density", 0.5}, {"image", 1.0}, {"none", 0.0}};

static int take_readout(struct task *task, const char *name, struct err *err)
{
	for (size_t i = 0; i < sizeof(readouts) / sizeof(readouts[0]); i++)
		if (strcmp(readouts[i].name, name) == 0) {
			task->readout_weight = readouts[i].weight;
			return 0;
		}
	return err_set(err, JOSTLE_ECONFIG, "expected density, image or none, found \"%s\"", name);
}

const char *task_readout_name(double weight)
{
	for (size_t i = 0; i < sizeof(readouts) / sizeof(readouts[0]); i++)
		if (readouts[i].weight == weight)
			return readouts[i].name;
	return NULL;
}

static void take(const uint64_t *from, size_t *to)
{
	if (from)
		*to = (size_t)*from;
}

/** Lengths of texts are the schema's to check; everything else is task_check()'s. */
static int take_document(struct task *task, const struct document *document, struct err *err)
{
	const struct training_document *training = document->training;

	snprintf(task->name, sizeof(task->name), "%s", document->name);
	snprintf(task->summary, sizeof(task->summary), "%s", document->summary);
	snprintf(task->target, sizeof(task->target), "%s", document->target);
	if (document->bath)
		snprintf(task->bath, sizeof(task->bath), "%s", document->bath);
	task->nx = (size_t)document->lattice[0];
	task->ny = (size_t)document->lattice[1];
	task->n_terms = document->n_terms;
	for (size_t i = 0; i < task->n_terms; i++)
		snprintf(task->terms[i], sizeof(task->terms[i]), "%s", document->terms[i]);
	take(document->knots, &task->knots);
	if (training) {
		take(training->batch, &task->training.batch);
		take(training->steps, &task->training.steps);
		take(training->sample, &task->training.sample);
		take(training->held, &task->training.held);
		if (training->rate)
			task->training.rate = *training->rate;
	}
	return document->readout ? take_readout(task, document->readout, err) : 0;
}

void task_fini(struct task *task)
{
	*task = (struct task){0};
}

int task_set_terms(struct task *task, const char *const specs[], size_t n_specs, struct err *err)
{
	if (n_specs == 0 || n_specs > NETWORK_MAX_TERMS)
		return err_set(err, JOSTLE_ECONFIG, "terms: expected 1 to %d, found %zu", NETWORK_MAX_TERMS, n_specs);
	for (size_t i = 0; i < n_specs; i++)
		if (strlen(specs[i]) >= SPEC_MAX_TEXT)
			return err_set(err, JOSTLE_ECONFIG, "terms: expected at most %d characters, found %zu",
				       SPEC_MAX_TEXT - 1, strlen(specs[i]));
	for (size_t i = 0; i < n_specs; i++)
		snprintf(task->terms[i], sizeof(task->terms[i]), "%s", specs[i]);
	task->n_terms = n_specs;
	return 0;
}

int task_set_target(struct task *task, const char *spec, struct err *err)
{
	if (strlen(spec) >= sizeof(task->target))
		return err_set(err, JOSTLE_ECONFIG, "target: expected at most %zu characters, found %zu",
			       sizeof(task->target) - 1, strlen(spec));
	snprintf(task->target, sizeof(task->target), "%s", spec);
	return 0;
}

/** A number of the task and the range it must be in. */
struct range {
	const char *field;
	size_t value, min, max;
};

static int check_numbers(const struct task *task, const char **field, struct err *err)
{
	const struct task_training *training = &task->training;
	const struct range ranges[] = {
		{"lattice", task->nx, 1, NETWORK_MAX_SIDE},
		{"lattice", task->ny, 1, NETWORK_MAX_SIDE},
		{"terms", task->n_terms, 1, NETWORK_MAX_TERMS},
		{"knots", task->knots, 2, KNOTS_MAX},
		{"training.batch", training->batch, BLOCK_LANES, TASK_MAX_BATCH},
		{"training.steps", training->steps, 1, TASK_MAX_STEPS},
		{"training.sample", training->sample, BLOCK_LANES, TASK_MAX_SAMPLE},
		{"training.held", training->held, BLOCK_LANES, TASK_MAX_SAMPLE},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		*field = ranges[i].field;
		if (ranges[i].value < ranges[i].min || ranges[i].value > ranges[i].max)
			return err_set(err, JOSTLE_ECONFIG, "expected %zu to %zu, found %zu", ranges[i].min,
				       ranges[i].max, ranges[i].value);
	}
	*field = "training.rate";
	if (!(training->rate > 0.0 && training->rate <= TASK_MAX_RATE))
		return err_set(err, JOSTLE_ECONFIG, "expected more than 0 and at most %g, found %g", TASK_MAX_RATE,
			       training->rate);
	*field = "readout";
	if (!task_readout_name(task->readout_weight))
		return err_set(err, JOSTLE_ECONFIG,
			       "expected a weight of 0.5 (density), 1 (image) or 0 (none), found %g",
			       task->readout_weight);
	return 0;
}

int task_network(const struct task *task, struct network *network, struct err *err)
{
	const char *specs[NETWORK_MAX_TERMS];

	for (size_t i = 0; i < task->n_terms; i++)
		specs[i] = task->terms[i];
	return network_init(network, task->nx, task->ny, specs, task->n_terms, err);
}

/** Check everything; *field is what the error is about, and the error's text does not name it. */
static int check(const struct task *task, const char **field, struct err *err)
{
	struct network network;
	struct target target;
	struct bath bath;
	int status;

	if ((status = check_numbers(task, field, err)))
		return status;
	*field = "bath";
	if ((status = bath_init(&bath, task->bath, err)))
		return status;
	*field = "target";
	if ((status = target_init(&target, task->target, task->nx * task->ny, err)))
		return status;
	target_fini(&target);
	*field = "terms";
	if ((status = task_network(task, &network, err)))
		return status;
	network_fini(&network);
	return 0;
}

int task_check(const struct task *task, struct err *err)
{
	const char *field;
	const int status = check(task, &field, err);

	if (status)
		err_context(err, "%s", field);
	return status;
}

/** Fill `task` from a parsed document, and free that. `text` is what it was parsed from. */
static int take_checked(struct task *task, void *loaded, const char *origin, const char *text, struct err *err)
{
	const char *field = "readout";
	struct err fault = {0};
	int status = take_document(task, loaded, &fault);

	yaml_free(&schema, loaded);
	if (!status)
		status = check(task, &field, &fault);
	if (status == JOSTLE_ENOMEM)
		err_set(err, status, "%s: %s", origin, fault.text);
	else if (status)
		status = yaml_refuse(err, origin, text, field, "%s", fault.text);
	if (status)
		task_fini(task);
	return status;
}

int task_load(struct task *task, const char *path, struct err *err)
{
	void *loaded = NULL;
	char *text = NULL;
	int status;

	*task = defaults;
	if (!(status = yaml_load(path, &schema, &loaded, &text, err)))
		status = take_checked(task, loaded, path, text, err);
	free(text);
	return status;
}

int task_parse(struct task *task, const char *origin, const char *text, struct err *err)
{
	void *loaded = NULL;
	int status;

	*task = defaults;
	if ((status = yaml_parse(origin, text, &schema, &loaded, err)))
		return status;
	return take_checked(task, loaded, origin, text, err);
}
