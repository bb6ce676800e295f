/*
 * Protocols that clients ask for are read in a thread of its own, one at a time: while a run file is being written to a slow disk, HDF5
 * keeps everybody waiting who reads with it, and the service has a bench to stop and a watchdog to answer meanwhile.
 *
 * A load belongs to two, the service and its thread, and whoever is done with it last frees it: a disk that never answers keeps the
 * thread, but nobody else.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/service_parts.h"

#define LOAD_NS     INT64_C(60000000000) /* then the client is told, and what comes later is forgotten */
#define STACK_BYTES (2 << 20)            /* the loop locks all memory, the usual 8 MiB too */
#define END_NS      INT64_C(5000000000)  /* for a load at the end of a run */

struct load {
	struct service_setup setup;
	struct client client;
	struct message message;
	int64_t deadline_ns;
	bool answered; /* too late for the client */

	/* the thread's until it is done */
	struct loaded *loaded;
	int code;
	struct err err;
	atomic_bool done;
	atomic_int n_owners;
};

static void let_go(struct load *load)
{
	if (atomic_fetch_sub(&load->n_owners, 1) > 1)
		return;
	if (load->loaded)
		programs_forget(load->loaded);
	free(load);
}

static void *read_protocol(void *context)
{
	struct load *load = context;

	pthread_setname_np(pthread_self(), "load");
	load->code = programs_read(load->message.path, &load->loaded, &load->err);
	/* Whom nobody waits for any longer finds no bench to try it on either. */
	if (!load->code && atomic_load(&load->n_owners) > 1)
		load->code = programs_try(&load->setup, load->loaded, &load->err);
	atomic_store(&load->done, true);
	let_go(load);
	return NULL;
}

/** A thread that no signal finds: they are for the one that waits for them. */
static int start(struct load *load)
{
	sigset_t all, before;
	pthread_t thread;
	pthread_attr_t attributes;
	int failed;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&thread, &attributes, read_protocol, load);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (!failed)
		pthread_detach(thread);
	return failed;
}

int load_begin(struct service *service, const struct client *client, const struct message *message, struct err *err)
{
	struct load *load;

	if (service->load)
		return err_set(err, JOSTLE_EBUSY, "another protocol is being loaded: ask again when it is");
	load = calloc(1, sizeof(*load));
	if (!load)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a protocol");
	load->setup = service->setup;
	load->client = *client;
	load->message = *message;
	load->deadline_ns = clock_now_ns() + LOAD_NS;
	atomic_init(&load->n_owners, 2);
	if (start(load)) {
		free(load);
		return err_set(err, JOSTLE_ENOMEM, "no thread to load a protocol in");
	}
	service->load = load;
	return 0;
}

static void refuse(struct service *service, struct load *load, const struct err *err)
{
	if (load->answered)
		return;
	load->answered = true;
	answer_record(service, 0, &load->client, &load->message, err);
	answer_begin(service, &load->message, err);
	answer_send(service, &load->client);
}

static int take(struct service *service, struct load *load, struct err *err)
{
	struct loaded *loaded = load->loaded;
	struct entry *entry;
	int code;

	load->loaded = NULL;
	code = programs_take(service, loaded, &entry, err);
	return code ? code : answers_expect_program(service, entry, &load->client, &load->message, err);
}

void load_look(struct service *service, int64_t now_ns)
{
	struct load *load = service->load;
	struct err err = {0};

	if (!load)
		return;
	if (!atomic_load(&load->done)) {
		if (now_ns < load->deadline_ns)
			return;
		err_set(&err, JOSTLE_EIO, "%s: not read within %d s; it will not be used", load->message.path,
			(int)(LOAD_NS / 1000000000));
		refuse(service, load, &err);
		return;
	}
	service->load = NULL;
	if (load->code)
		refuse(service, load, &load->err);
	else if (!load->answered && take(service, load, &err))
		refuse(service, load, &err);
	let_go(load);
}

void load_fini(struct service *service)
{
	const int64_t end_ns = clock_now_ns() + END_NS;
	struct load *load = service->load;
	struct err err = {0};

	if (!load)
		return;
	err_set(&err, JOSTLE_EIO, "the run has ended");
	refuse(service, load, &err);
	while (!atomic_load(&load->done) && clock_now_ns() < end_ns)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	if (!atomic_load(&load->done))
		log_warning("%s is still being read; nobody waits for it any longer", load->message.path);
	service->load = NULL;
	let_go(load);
}
