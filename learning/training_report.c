#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/h5.h"
#include "learning/estimator.h"
#include "learning/problem.h"
#include "learning/target.h"
#include "learning/task.h"
#include "learning/trainer.h"
#include "learning/training_report.h"
#include "protocols/protocol.h"

int training_report_init(struct training_report *report, const double t[], size_t n_knots, struct err *err)
{
	*report = (struct training_report){.n_knots = n_knots};
	report->t = calloc(n_knots, sizeof(double));
	report->loss = calloc(n_knots, sizeof(double));
	report->standard_error = calloc(n_knots, sizeof(double));
	report->training_loss = calloc(n_knots, sizeof(double));
	if (!report->t || !report->loss || !report->standard_error || !report->training_loss) {
		training_report_fini(report);
		return err_set(err, JOSTLE_ENOMEM, "no memory for the losses of %zu knots", n_knots);
	}
	memcpy(report->t, t, n_knots * sizeof(double));
	return 0;
}

void training_report_fini(struct training_report *report)
{
	free(report->training_loss);
	free(report->standard_error);
	free(report->loss);
	free(report->t);
	*report = (struct training_report){0};
}

int training_report_write(const struct training_report *report, const struct h5_file *file, struct err *err)
{
	const struct {
		const char *name;
		const double *values;
		bool measured;
		struct h5_label label;
	} sets[] = {
		{"/learning/t", report->t, true, {"relaxation times", "diffusion time of the knot"}},
		{"/learning/loss", report->loss, true, {"1", "held-out loss, 1 at zero score"}},
		{"/learning/standard_error",
		 report->standard_error,
		 true,
		 {"1", "standard error of the held-out loss"}},
		{"/learning/training_loss",
		 report->training_loss,
		 report->has_training_loss,
		 {"1", "loss on training moments"}},
	};
	int status = h5_make_group(file, "/learning", err);

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]) && !status; i++)
		if (sets[i].measured)
			status = h5_write_doubles(file, sets[i].name, 1, &report->n_knots, sets[i].values,
						  sets[i].label, err);
	return status;
}

int training_report_measure(struct training_report *report, const struct protocol *protocol, const struct task *task,
			    struct pool *pool, struct err *err)
{
	struct target target;
	struct problem problem;
	int status;

	if ((status = target_init(&target, task->target, protocol->network.n_sites, err)))
		return status;
	/* Holding out needs no rule; any will do for the problem to be whole. */
	if ((status = problem_init(&problem, &protocol->network, &target, estimator_registry[0], pool, 0, err)))
		goto no_problem;
	if ((status = training_report_init(report, protocol->t, protocol->n_knots, err)))
		goto no_report;
	for (size_t k = 0; k < protocol->n_knots; k++) {
		problem_enter(&problem, k, protocol->t[k]);
		problem.wall = protocol->wall[k];
		problem_held_out(&problem, protocol->theta + k * protocol->network.n_parameters, task->training.held,
				 &report->loss[k], &report->standard_error[k]);
	}
no_report:
	problem_fini(&problem);
no_problem:
	target_fini(&target);
	return status;
}
