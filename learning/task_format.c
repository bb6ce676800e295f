/*
 * A task as text and as a fingerprint: what goes into a protocol file, and what a checkpoint is compared by.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "learning/task.h"

void task_hash(const struct task *task, struct hash *hash)
{
	const struct task_training *training = &task->training;
	char numbers[256];

	snprintf(numbers, sizeof(numbers),
		 "lattice %zu %zu knots %zu readout %a batch %zu steps %zu rate %a sample %zu held %zu", task->nx,
		 task->ny, task->knots, task->readout_weight, training->batch, training->steps, training->rate,
		 training->sample, training->held);
	hash_text(hash, numbers);
	hash_text(hash, task->bath);
	hash_text(hash, task->target);
	for (size_t i = 0; i < task->n_terms; i++)
		hash_text(hash, task->terms[i]);
}

/** In double quotes, where YAML takes every character as it is but these. */
static void quote(FILE *out, const char *before, const char *text)
{
	fprintf(out, "%s\"", before);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(out, "\\x%02x", (unsigned)*text);
		else
			fputc(*text, out);
	}
	fprintf(out, "\"\n");
}

int task_format(const struct task *task, char **text, struct err *err)
{
	const struct task_training *training = &task->training;
	size_t size;
	FILE *out = open_memstream(text, &size);

	if (!out)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the text of a task");
	quote(out, "name: ", task->name);
	quote(out, "summary: ", task->summary);
	fprintf(out, "lattice: [%zu, %zu]\n", task->nx, task->ny);
	quote(out, "target: ", task->target);
	fprintf(out, "terms:\n");
	for (size_t i = 0; i < task->n_terms; i++)
		quote(out, "  - ", task->terms[i]);
	fprintf(out, "knots: %zu\nreadout: %s\n", task->knots, task_readout_name(task->readout_weight));
	quote(out, "bath: ", task->bath);
	fprintf(out, "training: {batch: %zu, steps: %zu, rate: %.17g, sample: %zu, held: %zu}\n", training->batch,
		training->steps, training->rate, training->sample, training->held);
	if (fclose(out)) {
		free(*text);
		*text = NULL;
		return err_set(err, JOSTLE_ENOMEM, "no memory for the text of a task");
	}
	return 0;
}
