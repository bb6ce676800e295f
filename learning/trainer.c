#include "learning/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/provenance.h"
#include "base/ranks.h"
#include "learning/checkpoint.h"
#include "learning/estimator.h"
#include "learning/optimiser.h"
#include "learning/problem.h"
#include "learning/target.h"
#include "learning/task.h"
#include "learning/training_report.h"
#include "protocols/bath.h"
#include "protocols/diffusion.h"
#include "protocols/knots.h"
#include "protocols/protocol.h"

#define CHECKPOINT_EVERY_NS 8000000000LL

struct trainer {
	const struct trainer_options *options;
	const struct task *task;
	const struct estimator_type *rule;
	const struct optimiser_type *optimiser;
	struct target target;
	struct network network;
	struct problem problem;
	struct training_report report;
	struct checkpoint at; /* theta and state are its own */
	double t[KNOTS_MAX];
	int64_t saved_ns;
};

/** The rules in this room are those of the white bath, whose noise has no variable of its own. */
static int check_bath(const struct task *task, struct err *err)
{
	struct bath bath;
	int status = bath_init(&bath, task->bath, err);

	if (status)
		return status;
	if (bath.type->n_auxiliary > 0)
		return err_set(err, JOSTLE_ECONFIG, "bath: expected white, found \"%s\", which these rules can't learn",
			       task->bath);
	return 0;
}

static void set_configuration(struct trainer *trainer)
{
	struct checkpoint_configuration *configuration = &trainer->at.configuration;
	struct hash hash;

	configuration->rule = trainer->rule->name;
	configuration->optimiser = trainer->optimiser->name;
	configuration->seed = trainer->options->seed;
	hash_begin(&hash);
	task_hash(trainer->task, &hash);
	hash_end(&hash, configuration->task);
}

static void trainer_fini(struct trainer *trainer)
{
	free(trainer->at.state);
	free(trainer->at.theta);
	training_report_fini(&trainer->report);
	problem_fini(&trainer->problem);
	network_fini(&trainer->network);
	target_fini(&trainer->target);
}

static int trainer_init(struct trainer *trainer, const struct trainer_options *options, const struct task *task,
			struct pool *pool, struct err *err)
{
	struct checkpoint *at = &trainer->at;
	int status;

	*trainer = (struct trainer){.options = options, .task = task};
	if ((status = estimator_find(options->rule, &trainer->rule, err)) ||
	    (status = optimiser_find(options->optimiser, &trainer->optimiser, err)) ||
	    (status = check_bath(task, err)) ||
	    (status = target_init(&trainer->target, task->target, task->nx * task->ny, err)) ||
	    (status = task_network(task, &trainer->network, err)) ||
	    (status = problem_init(&trainer->problem, &trainer->network, &trainer->target, trainer->rule, pool,
				   options->seed, err)))
		goto fail;
	knots_geometric(DIFFUSION_T_MINIMUM, DIFFUSION_T_FINAL, task->knots, trainer->t);
	if ((status = training_report_init(&trainer->report, trainer->t, task->knots, err)))
		goto fail;
	trainer->report.has_training_loss = trainer->rule->has_residual;

	at->n_knots = at->left = task->knots;
	at->n_parameters = trainer->network.n_parameters;
	at->n_state = trainer->optimiser->n_state(at->n_parameters);
	at->theta = calloc(at->n_knots * at->n_parameters, sizeof(*at->theta));
	at->state = calloc(at->n_state, sizeof(*at->state));
	at->report = &trainer->report;
	if (!at->theta || !at->state) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for %zu knots of %zu parameters", at->n_knots,
				 at->n_parameters);
		goto fail;
	}
	set_configuration(trainer);
	trainer->saved_ns = clock_now_ns();
	return 0;
fail:
	trainer_fini(trainer);
	return status;
}

static bool asked_to_stop(const struct trainer_options *options)
{
	return options->stop ? options->stop(options->stop_context) : interrupt_asked();
}

/* What a rank wants after a step, the most urgent first. */
enum wish { WISH_STOP, WISH_CHECKPOINT, WISH_GO_ON };

static enum wish wish_of(const struct trainer *trainer)
{
	if (asked_to_stop(trainer->options))
		return WISH_STOP;
	return ranks_first() && clock_now_ns() - trainer->saved_ns >= CHECKPOINT_EVERY_NS ? WISH_CHECKPOINT
											  : WISH_GO_ON;
}

/** After every step: a checkpoint when it is due or asked for, and the question whether to go on. */
static int look_up(struct trainer *trainer, struct err *err)
{
	const struct trainer_options *options = trainer->options;
	const enum wish wish = (enum wish)ranks_least(wish_of(trainer));
	int status = 0;

	if (options->checkpoint && wish != WISH_GO_ON) {
		if (ranks_first())
			status = checkpoint_save(&trainer->at, options->checkpoint, err);
		status = ranks_agree(status, err);
		trainer->saved_ns = clock_now_ns();
	}
	if (wish == WISH_STOP && !status)
		status = err_set(err, JOSTLE_EINTR, "interrupted with %zu of %zu knots to go%s%s", trainer->at.left,
				 trainer->at.n_knots, options->checkpoint ? "; resume from " : "",
				 options->checkpoint ? options->checkpoint : "");
	return status;
}

static bool all_finite(const double values[], size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += values[i] * 0.0;
	return sum == 0.0;
}

static void show_progress(const struct trainer *trainer, double part)
{
	const size_t left = trainer->at.left, n = trainer->at.n_knots;
	char note[48] = "";

	if (!trainer->options->progress)
		return;
	if (left < n)
		snprintf(note, sizeof(note), "loss %.4f at t = %.3g", trainer->report.loss[left], trainer->t[left]);
	progress_update(trainer->options->progress, (double)(n - left) + part, note[0] ? note : NULL);
}

/** Enter the knot under way: where a checkpoint left it, or from the neighbour's solution. */
static int enter_knot(struct trainer *trainer, struct err *err)
{
	struct checkpoint *at = &trainer->at;
	const size_t knot = at->left - 1, n = at->n_parameters;
	double *theta = at->theta + knot * n;
	const bool first = at->left == at->n_knots;
	int status;

	problem_enter(&trainer->problem, knot, trainer->t[knot]);
	if (trainer->optimiser->stores_sample &&
	    (status = problem_store(&trainer->problem, trainer->task->training.sample, err)))
		return status;
	if (at->begun)
		return 0;
	if (!first)
		memcpy(theta, theta + n, n * sizeof(*theta));
	trainer->optimiser->begin(&trainer->task->training, &trainer->problem, first, theta, at->state);
	at->begun = true;
	return 0;
}

static int train_knot(struct trainer *trainer, struct err *err)
{
	struct checkpoint *at = &trainer->at;
	const size_t knot = at->left - 1;
	double *theta = at->theta + knot * at->n_parameters;
	double part = 0.0;
	int status;

	if ((status = enter_knot(trainer, err)))
		return status;
	while (part < 1.0) {
		part = trainer->optimiser->step(&trainer->task->training, &trainer->problem, theta, at->state);
		if (!all_finite(theta, at->n_parameters) || !all_finite(at->state, at->n_state))
			return err_set(err, JOSTLE_EDIVERGED,
				       "training left the range of numbers at t = %.3g: try a smaller rate",
				       trainer->t[knot]);
		if (part < 1.0) {
			show_progress(trainer, part);
			if ((status = look_up(trainer, err)))
				return status;
		}
	}
	trainer->report.training_loss[knot] = trainer->optimiser->loss(at->state);
	problem_held_out(&trainer->problem, theta, trainer->task->training.held, &trainer->report.loss[knot],
			 &trainer->report.standard_error[knot]);
	at->left--;
	at->begun = false;
	show_progress(trainer, 0.0);
	return look_up(trainer, err);
}

static int make_protocol(struct trainer *trainer, struct protocol *protocol, struct err *err)
{
	const struct task *task = trainer->task;
	int status;

	if ((status = protocol_init(protocol, &trainer->network, trainer->t, task->knots, err)))
		return status;
	memcpy(protocol->theta, trainer->at.theta,
	       trainer->at.n_knots * trainer->at.n_parameters * sizeof(*protocol->theta));
	for (size_t k = 0; k < task->knots; k++)
		protocol->wall[k] = problem_wall(&trainer->target, trainer->t[k]);
	protocol->readout_weight = task->readout_weight;
	snprintf(protocol->rule, sizeof(protocol->rule), "%s, %s", trainer->rule->name, trainer->optimiser->name);
	snprintf(protocol->bath, sizeof(protocol->bath), "%s", task->bath);
	if ((status = task_format(task, &protocol->task, err)))
		protocol_fini(protocol);
	return status;
}

static int train_all(struct trainer *trainer, struct err *err)
{
	struct progress *progress = trainer->options->progress;
	const double n = (double)trainer->at.n_knots;
	int status = 0;

	if (progress)
		progress_begin(progress, "train", n, n - (double)trainer->at.left);
	while (trainer->at.left > 0 && !status)
		status = train_knot(trainer, err);
	if (progress)
		progress_end(progress, n - (double)trainer->at.left);
	return status;
}

/** Rank 0 reads the checkpoint: the others may be where its file is not. */
static int load_checkpoint(struct trainer *trainer, struct err *err)
{
	struct checkpoint *at = &trainer->at;
	const struct training_report *report = &trainer->report;
	const size_t knots_size = at->n_knots * sizeof(double);
	int status = 0;

	if (!trainer->options->checkpoint)
		return err_set(err, JOSTLE_EINVAL, "expected a checkpoint to resume from, found none");
	if (ranks_first())
		status = checkpoint_load(at, trainer->options->checkpoint, err);
	if ((status = ranks_agree(status, err)))
		return status;
	ranks_broadcast(0, &at->left, sizeof(at->left));
	ranks_broadcast(0, &at->begun, sizeof(at->begun));
	ranks_broadcast(0, at->theta, knots_size * at->n_parameters);
	ranks_broadcast(0, at->state, at->n_state * sizeof(*at->state));
	ranks_broadcast(0, report->loss, knots_size);
	ranks_broadcast(0, report->standard_error, knots_size);
	ranks_broadcast(0, report->training_loss, knots_size);
	return 0;
}

/** Ranks that compute differently would part ways at the first decision that depends on a last bit. */
static int check_ranks(const struct trainer *trainer, struct err *err)
{
	const struct checkpoint_configuration *configuration = &trainer->at.configuration;
	char text[256];

	snprintf(text, sizeof(text), "jostle %s with %s kernels, %s, %s, seed %" PRIu64 ", on task %.16s",
		 jostle_version(), network_kernels_best()->name, configuration->rule, configuration->optimiser,
		 configuration->seed, configuration->task);
	return ranks_same(text, "program and work", err);
}

int trainer_run(const struct trainer_options *options, const struct task *task, struct pool *pool,
		struct protocol *protocol, struct training_report *report, struct err *err)
{
	struct trainer trainer;
	int status;

	const int own = trainer_init(&trainer, options, task, pool, err);
	if ((status = ranks_agree(own, err))) {
		if (!own)
			trainer_fini(&trainer);
		return status;
	}
	if ((status = check_ranks(&trainer, err)) || (options->resume && (status = load_checkpoint(&trainer, err))) ||
	    (status = train_all(&trainer, err)))
		goto done;
	const int made = make_protocol(&trainer, protocol, err);
	if ((status = ranks_agree(made, err))) {
		if (!made)
			protocol_fini(protocol);
		goto done;
	}
	*report = trainer.report;
	trainer.report = (struct training_report){0};
done:
	trainer_fini(&trainer);
	return status;
}
