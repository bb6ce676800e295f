/*
 * What comes from the thread that is not the loop: commands, samples, programs, instruments. It may be kept waiting for the lock, never
 * for the disk.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/provenance.h"
#include "control/recorder_parts.h"
#include "protocols/protocol.h"

#define MAX_QUEUED_BYTES (256u << 20)

void queue_put(struct queue *queue, struct queued *item)
{
	item->next = NULL;
	if (!queue->first)
		queue->last = &queue->first;
	*queue->last = item;
	queue->last = &item->next;
	queue->n++;
	queue->size += item->size;
}

void queue_move(struct queue *to, struct queue *from)
{
	if (!from->first)
		return;
	if (!to->first)
		to->last = &to->first;
	*to->last = from->first;
	to->last = from->last;
	to->n += from->n;
	to->size += from->size;
	*from = (struct queue){0};
}

void recorded_program_fini(struct recorded_program *program)
{
	free(program->content);
	free((void *)program->plan.segments);
}

void queue_clear(struct queue *queue)
{
	while (queue->first) {
		struct queued *item = queue->first;

		queue->first = item->next;
		if (item->kind == QUEUED_PROGRAM)
			recorded_program_fini(&item->is.program);
		free(item);
	}
	*queue = (struct queue){0};
}

/** Hand an item to the thread, or drop and count it; NULL is one for which there was no memory. */
static void hand_over(struct recorder *r, struct queued *item, enum run_dropped kind)
{
	pthread_mutex_lock(&r->lock);
	const bool room = item && r->queue.size + r->waiting_size < MAX_QUEUED_BYTES;

	if (room)
		queue_put(&r->queue, item);
	else
		r->dropped[kind]++;
	pthread_mutex_unlock(&r->lock);
	if (item && !room) {
		struct queue refused = {0};

		queue_put(&refused, item);
		queue_clear(&refused);
	}
}

/** As much of a text as fits, cut between characters. */
static void copy_text(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size);

	if (n == size)
		for (n = size - 1; n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80; n--)
			;
	memcpy(to, from, n);
	to[n] = '\0';
}

void recorder_command(struct recorder *r, uint64_t request, const char *client, const char *command, const char *answer)
{
	if (!atomic_load(&r->on))
		return;
	struct queued *item = calloc(1, sizeof(*item));

	if (item) {
		item->kind = QUEUED_COMMAND;
		item->size = sizeof(*item);
		item->is.command.t_ns = clock_now_ns();
		item->is.command.request = request;
		copy_text(item->is.command.client, sizeof(item->is.command.client), client);
		copy_text(item->is.command.command, sizeof(item->is.command.command), command);
		copy_text(item->is.command.answer, sizeof(item->is.command.answer), answer);
	}
	hand_over(r, item, DROPPED_COMMANDS);
}

void recorder_instrument(struct recorder *r, const struct instruments_note *note)
{
	if (!atomic_load(&r->on))
		return;
	struct queued *item = calloc(1, sizeof(*item));

	if (item) {
		item->kind = QUEUED_INSTRUMENT;
		item->size = sizeof(*item);
		item->is.note = *note;
	}
	hand_over(r, item, DROPPED_INSTRUMENTS);
}

void recorder_sample(struct recorder *r, uint64_t program, uint64_t number, uint64_t tick, const double value[])
{
	const size_t size = offsetof(struct queued, is) + run_sample_size(r->shape.n_sites);

	if (!atomic_load(&r->on))
		return;
	struct queued *item = calloc(1, size > sizeof(*item) ? size : sizeof(*item));

	if (item) {
		item->kind = QUEUED_SAMPLE;
		item->size = size;
		item->is.sample[0] = program;
		item->is.sample[1] = number;
		item->is.sample[2] = tick;
		memcpy((char *)&item->is + 3 * sizeof(uint64_t), value, r->shape.n_sites * sizeof(*value));
	}
	hand_over(r, item, DROPPED_SAMPLES);
}

static bool copy_plan(struct plan *to, const struct plan *from)
{
	if (!from)
		return true;
	struct segment *segments = calloc(from->n_segments ? from->n_segments : 1, sizeof(*segments));

	if (!segments)
		return false;
	memcpy(segments, from->segments, from->n_segments * sizeof(*segments));
	*to = (struct plan){segments, from->n_segments, from->n_repeats};
	return true;
}

int recorder_image(const struct recorder *r, const struct protocol *protocol, unsigned char **content, size_t *size,
		   struct err *err)
{
	const struct provenance provenance = {
		.command = "run", .backend = r->setup.backend, .simulated = r->setup.simulated, .seed = r->setup.seed};

	return protocol_save_image(protocol, "the protocol in memory", &provenance, content, size, err);
}

static bool copy_content(struct recorded_program *to, const char *checksum, const unsigned char *content, size_t size)
{
	if (!content)
		return true;
	to->content = malloc(size ? size : 1);
	if (!to->content)
		return false;
	memcpy(to->content, content, size);
	to->size = size;
	copy_text(to->checksum, sizeof(to->checksum), checksum);
	return true;
}

void recorder_program(struct recorder *r, uint64_t program, const char *checksum, const unsigned char *content,
		      size_t size, const struct plan *plan)
{
	struct queued *item = calloc(1, sizeof(*item));

	if (item) {
		item->kind = QUEUED_PROGRAM;
		item->size = sizeof(*item) + size;
		item->is.program.id = program;
	}
	if (item &&
	    !(copy_plan(&item->is.program.plan, plan) && copy_content(&item->is.program, checksum, content, size))) {
		recorded_program_fini(&item->is.program);
		free(item);
		item = NULL;
	}
	if (!item)
		log_warning("program %llu is not recorded: no memory", (unsigned long long)program);
	hand_over(r, item, DROPPED_PROGRAMS);
}

void recorder_protocol(struct recorder *r, uint64_t program, const struct protocol *protocol, const struct plan *plan)
{
	unsigned char *content = NULL;
	size_t size = 0;
	struct err err = {0};

	if (protocol && recorder_image(r, protocol, &content, &size, &err)) {
		log_warning("program %llu is not recorded: %s", (unsigned long long)program, err.text);
		hand_over(r, NULL, DROPPED_PROGRAMS);
		return;
	}
	recorder_program(r, program, protocol ? protocol->checksum : NULL, content, size, plan);
	free(content);
}
