#include "control/recorder.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/provenance.h"
#include "control/calibration.h"
#include "control/recorder_parts.h"
#include "control/request.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"

#define DEFAULT_SEGMENT (1ull << 30)
#define DEFAULT_RING_S  20.0
#define DEFAULT_BYTES   (256u << 20) /* the ring's, at most, where nobody says how many seconds it shall hold */
#define EVENT_RING      16384
#define BATCH_BYTES     (4u << 20)
#define MAX_NAME        96

static int check_setup(const struct recorder_setup *setup, struct err *err)
{
	struct stat status;

	if (!setup->name[0] || strlen(setup->name) > MAX_NAME || strchr(setup->name, '/'))
		return err_set(err, JOSTLE_EINVAL,
			       "expected a run's name of 1 to %d characters without a slash, found \"%s\"", MAX_NAME,
			       setup->name);
	if (stat(setup->folder, &status) < 0 || !S_ISDIR(status.st_mode))
		return err_set(err, JOSTLE_ENOENT, "expected a folder to record into, found none at %s", setup->folder);
	return access(setup->folder, W_OK) < 0
		       ? err_set(err, JOSTLE_EIO, "the folder %s cannot be written into", setup->folder)
		       : 0;
}

static struct run_shape shape_of(const struct bench *bench)
{
	struct run_shape shape = {.n_in = bench->n_in, .n_out = bench->n_out, .n_sites = bench->nx * bench->ny};

	for (size_t k = 0; k < bench->n_in; k++) {
		shape.force = shape.force || bench->in[k].role == DAQ_FORCE;
		shape.temperature = shape.temperature || bench->in[k].role == DAQ_TEMPERATURE;
	}
	return shape;
}

/** Rows that the ring holds. */
static size_t ring_rows(const struct recorder_setup *setup, size_t row_size)
{
	const double seconds = setup->ring_s > 0 ? setup->ring_s : DEFAULT_RING_S;
	double rows = seconds / setup->period_s + 1;

	if (!(setup->ring_s > 0) && rows * (double)row_size > DEFAULT_BYTES)
		rows = (double)DEFAULT_BYTES / (double)row_size;
	return rows < (double)(SIZE_MAX / 4) ? (size_t)rows : SIZE_MAX / 4;
}

static int take_memory(struct recorder *r, struct err *err)
{
	const struct provenance provenance = {.command = "run",
					      .backend = r->setup.backend,
					      .simulated = r->setup.simulated,
					      .seed = r->setup.seed,
					      .bench = r->setup.bench->text};
	int code = ring_init(&r->rows, r->row_size, ring_rows(&r->setup, r->row_size), err);

	if (!code)
		code = ring_init(&r->events, sizeof(struct loop_event), EVENT_RING, err);
	if (!code)
		code = state_init(&r->state, r->shape.n_sites, err);
	if (!code)
		code = calibration_record_save_image(r->setup.record, "the calibration in memory", &provenance,
						     &r->calibration, &r->calibration_size, err);
	if (code)
		return code;
	r->staging = calloc(1, r->row_size);
	r->batch = calloc(r->batch_rows, r->row_size);
	r->derived = calloc(r->batch_rows, r->derived_size);
	r->event = calloc(RECORDER_EVENTS, sizeof(*r->event));
	r->limits = calloc(r->shape.n_out + 1, sizeof(*r->limits));
	return r->staging && r->batch && r->derived && r->event && r->limits
		       ? 0
		       : err_set(err, JOSTLE_ENOMEM, "no memory for a recorder of %zu channels",
				 r->shape.n_in + r->shape.n_out);
}

static void give_back(struct recorder *r)
{
	ring_fini(&r->rows);
	ring_fini(&r->events);
	state_fini(&r->state);
	queue_clear(&r->queue);
	queue_clear(&r->waiting);
	for (size_t i = 0; i < r->n_programs; i++)
		recorded_program_fini(&r->program[i]);
	free(r->program);
	free(r->calibration);
	free(r->staging);
	free(r->batch);
	free(r->derived);
	free(r->event);
	free(r->limits);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/** Signals are for the main thread: the recorder's has none of its own to answer. */
static int start_thread(struct recorder *r, struct err *err)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failed = pthread_create(&r->thread, NULL, recorder_main, r);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? err_set(err, JOSTLE_ENOMEM, "the recorder's thread could not be started (error %d)", failed)
		      : 0;
}

static void init_locks(struct recorder *r)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&r->lock, NULL);
}

int recorder_open(struct recorder **recorder, const struct recorder_setup *setup, struct err *err)
{
	struct timespec now;
	int code = check_setup(setup, err);

	*recorder = NULL;
	if (code)
		return code;
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a recorder");
	r->setup = *setup;
	if (!r->setup.segment_bytes)
		r->setup.segment_bytes = DEFAULT_SEGMENT;
	r->shape = shape_of(setup->bench);
	r->row_size = tick_record_size(r->shape.n_in, r->shape.n_out);
	r->derived_size = run_row_size(&r->shape, true);
	r->batch_rows = BATCH_BYTES / r->derived_size + 2;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(r->run, sizeof(r->run), "%.20s-%llx-%x", setup->name,
		 (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec, (unsigned)getpid());
	init_locks(r);
	code = take_memory(r, err);
	if (!code)
		code = start_thread(r, err);
	if (code)
		give_back(r);
	else
		*recorder = r;
	return code;
}

/** The last word: what was recorded, and what was not, which is an error. */
static void sum_up(struct recorder *r, struct err *err)
{
	uint64_t dropped[DROPPED_N];
	char text[256];
	bool whole = true;

	recorder_dropped(r, dropped);
	for (size_t k = 0; k < DROPPED_N; k++)
		whole = whole && !dropped[k];
	recorder_loss_format(dropped, text, sizeof(text));
	if (!whole && !err->code)
		err_set(err, JOSTLE_EIO, "the recording is not whole: it lacks %s", text);
	log_info("%llu ticks recorded, lost: %s", (unsigned long long)atomic_load(&r->n_acknowledged), text);
}

int recorder_close(struct recorder *r, struct err *err)
{
	if (!r)
		return 0;
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->closing, true);
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	struct err result = r->first_err;

	sum_up(r, &result);
	if (result.code && err)
		*err = result;
	give_back(r);
	return result.code;
}

void recorder_set(struct recorder *r, bool on)
{
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->on, on);
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

void recorder_tick(struct recorder *r, const struct tick_record *tick, const double in_V[], const double out_V[],
		   const double command[])
{
	const size_t n_in = r->shape.n_in, n_out = r->shape.n_out;

	atomic_store_explicit(&r->current, tick->program, memory_order_relaxed);
	if (!atomic_load_explicit(&r->on, memory_order_relaxed))
		return;
	*r->staging = *tick;
	memcpy(r->staging->values, in_V, n_in * sizeof(double));
	memcpy(r->staging->values + n_in, out_V, n_out * sizeof(double));
	memcpy(r->staging->values + n_in + n_out, command, n_out * sizeof(double));
	ring_push(&r->rows, r->staging);
	atomic_fetch_add_explicit(&r->n_rows, 1, memory_order_relaxed);
}

void recorder_event(struct recorder *r, const struct loop_event *event)
{
	const bool on = atomic_load_explicit(&r->on, memory_order_relaxed);
	struct loop_event copy = *event;

	/* Limits hold for good: whoever reads a later file has to know of them. */
	if (!on && !(event->kind == EVENT_REQUEST && event->a == REQUEST_LIMITS && event->b))
		return;
	copy.reserved = on ? 0 : RECORDER_OFF;
	ring_push(&r->events, &copy);
}

void recorder_dropped(struct recorder *r, uint64_t dropped[DROPPED_N])
{
	pthread_mutex_lock(&r->lock);
	memcpy(dropped, r->dropped, sizeof(r->dropped));
	pthread_mutex_unlock(&r->lock);
	dropped[DROPPED_ROWS] += atomic_load(&r->rows.n_dropped) + atomic_load(&r->n_lost);
	dropped[DROPPED_EVENTS] += atomic_load(&r->events.n_dropped);
}

void recorder_status(struct recorder *r, struct recorder_status *status)
{
	uint64_t dropped[DROPPED_N];

	*status = (struct recorder_status){.on = atomic_load(&r->on)};
	recorder_dropped(r, dropped);
	status->n_dropped = dropped[DROPPED_ROWS];
	status->n_acknowledged = atomic_load(&r->n_acknowledged);
	status->n_rows = atomic_load(&r->n_rows);
	pthread_mutex_lock(&r->lock);
	status->failed = r->failing;
	memcpy(status->text, r->text, sizeof(status->text));
	memcpy(status->path, r->path, sizeof(status->path));
	pthread_mutex_unlock(&r->lock);
}
