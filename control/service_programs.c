/*
 * Protocols and the programs made from them. Programs are asked for in order, and the loop takes them in order: one that has taken over
 * gives all before it back.
 */
#include <math.h>
#include <stdlib.h>

#include "control/service_parts.h"
#include "daq/daq.h"

static void let_go(struct loaded *loaded)
{
	if (!loaded || --loaded->n_users > 0)
		return;
	protocol_fini(&loaded->protocol);
	free(loaded->image);
	free(loaded);
}

static void keep(struct loaded **place, struct loaded *loaded)
{
	if (loaded)
		loaded->n_users++;
	let_go(*place);
	*place = loaded;
}

static void free_entry(struct entry *entry)
{
	program_fini(&entry->program);
	keep(&entry->loaded, NULL);
	*entry = (struct entry){0};
}

static struct entry *find_free(struct service *service, struct err *err)
{
	for (size_t i = 0; i < MAX_PROGRAMS; i++)
		if (!service->entry[i].loaded)
			return &service->entry[i];
	err_set(err, JOSTLE_EBUSY, "%d programs wait for the loop already", MAX_PROGRAMS);
	return NULL;
}

const struct entry *programs_find(const struct service *service, uint64_t program)
{
	for (size_t i = 0; i < MAX_PROGRAMS; i++)
		if (service->entry[i].loaded && service->entry[i].program.id == program)
			return &service->entry[i];
	return NULL;
}

static int init(const struct service_setup *setup, uint64_t id, struct program *program, struct loaded *loaded,
		const struct plan *plan, struct err *err)
{
	return program_init(program,
			    &(struct program_setup){
				    .id = id,
				    .bench = setup->bench,
				    .calibration = setup->loop->calibration,
				    .record = setup->record,
				    .protocol = &loaded->protocol,
				    .samples = plan ? setup->samples : NULL,
				    .plan = plan,
				    .period_s = setup->loop->daq->period_s,
			    },
			    err);
}

/** What the command sample asks for; without a message a program that idles. A protocol is learned from its last knot down to its first. */
static int init_for(const struct service_setup *setup, uint64_t id, struct program *program, struct loaded *loaded,
		    const struct message *message, struct err *err)
{
	const struct protocol *protocol = &loaded->protocol;

	if (!message)
		return init(setup, id, program, loaded, NULL, err);
	const struct segment segments[] = {
		{.kind = SEGMENT_RELAX, .duration = message->relax},
		{.kind = SEGMENT_GENERATE,
		 .t_final = isnan(message->t_final) ? protocol->t[protocol->n_knots - 1] : message->t_final,
		 .t_minimum = protocol->t[0]},
	};

	return init(setup, id, program, loaded, &(struct plan){segments, 2, message->n}, err);
}

static int build(struct service *service, struct loaded *loaded, const struct message *message, struct entry **entry,
		 struct err *err)
{
	struct entry *fresh = find_free(service, err);
	int code;

	if (!fresh)
		return JOSTLE_EBUSY;
	code = init_for(&service->setup, service->last_program + 1, &fresh->program, loaded, message, err);
	if (code)
		return code;
	service->last_program++;
	fresh->n_samples = message ? message->n : 0;
	keep(&fresh->loaded, loaded);
	*entry = fresh;
	return 0;
}

int programs_read(const char *path, struct loaded **loaded, struct err *err)
{
	struct loaded *fresh = calloc(1, sizeof(*fresh));
	int code;

	if (!fresh)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a protocol");
	code = protocol_load(&fresh->protocol, path, err);
	if (code) {
		free(fresh);
		return code;
	}
	fresh->n_users = 1;
	*loaded = fresh;
	return 0;
}

int programs_try(const struct service_setup *setup, struct loaded *loaded, struct err *err)
{
	const struct message once = {.n = 1, .relax = MESSAGE_RELAX, .t_final = NAN};
	struct program trial;
	const int code = init_for(setup, SERVICE_FIRST_PROGRAM, &trial, loaded, &once, err);

	if (code)
		return code;
	program_fini(&trial);
	return setup->recorder
		       ? recorder_image(setup->recorder, &loaded->protocol, &loaded->image, &loaded->image_size, err)
		       : 0;
}

int programs_take(struct service *service, struct loaded *loaded, struct entry **entry, struct err *err)
{
	const int code = build(service, loaded, NULL, entry, err);

	if (!code)
		keep(&service->loaded, loaded);
	let_go(loaded);
	return code;
}

void programs_forget(struct loaded *loaded)
{
	let_go(loaded);
}

int programs_build(struct service *service, const struct message *message, struct entry **entry, struct err *err)
{
	if (!service->loaded)
		return err_set(err, JOSTLE_EINVAL, "expected a protocol to be loaded first, found none");
	return build(service, service->loaded, message, entry, err);
}

struct request programs_request(struct service *service, struct entry *entry)
{
	const struct sequencer *sequencer = &entry->program.sequencer;
	struct segment segments[2] = {0};

	entry->request = ++service->last_request;
	for (size_t i = 0; i < sequencer->n_segments && i < 2; i++)
		segments[i] = sequencer->segments[i].segment;
	if (service->setup.recorder)
		recorder_program(service->setup.recorder, entry->program.id, entry->loaded->protocol.checksum,
				 entry->loaded->image, entry->loaded->image_size,
				 &(struct plan){segments, sequencer->n_segments, sequencer->n_repeats});
	return (struct request){.id = entry->request, .kind = REQUEST_PROGRAM, .program = &entry->program};
}

void programs_drop(struct service *service, struct entry *entry)
{
	const struct entry *newest = NULL;

	free_entry(entry);
	for (size_t i = 0; i < MAX_PROGRAMS; i++)
		if (service->entry[i].loaded && (!newest || service->entry[i].program.id > newest->program.id))
			newest = &service->entry[i];
	keep(&service->loaded, newest ? newest->loaded : NULL);
}

void programs_hear(struct service *service, const struct loop_event *event)
{
	for (size_t i = 0; i < MAX_PROGRAMS && !event->b; i++)
		if (service->entry[i].loaded && service->entry[i].request == event->request) {
			programs_drop(service, &service->entry[i]);
			return;
		}
	if (!event->b)
		return;
	service->current = event->c;
	for (size_t i = 0; i < MAX_PROGRAMS; i++)
		if (service->entry[i].loaded && service->entry[i].program.id < service->current)
			free_entry(&service->entry[i]);
}

void programs_fini(struct service *service)
{
	for (size_t i = 0; i < MAX_PROGRAMS; i++)
		if (service->entry[i].loaded)
			free_entry(&service->entry[i]);
	keep(&service->loaded, NULL);
}
