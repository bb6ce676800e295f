#ifndef JOSTLE_PLANT_PAGE_H
#define JOSTLE_PLANT_PAGE_H
/*
 * The page of shared memory between a plant process, its one client and that one's guardian: POSIX name "/jostle-plant-NAME".
 *
 * Each side holds a lock on the page's file that the kernel releases when the process ends, however it ends: a page is
 * live while the plant's lock is held, taken while the client's is. Volts cross under sequence counters, so that neither
 * side ever waits for the other or reads half a set. With its volts the client stores the edge that they are for, and
 * with each edge the plant shows which edge the volts in force were for: a write that came too late is seen. A client
 * takes nothing on the page for granted: sizes are read once and checked against the file, edges each time;
 * a sample that is no number is the device's word, and crosses.
 *
 * A guardian is a third, with a lock and a set of volts of its own. Once it has seized the outputs the plant takes its
 * volts and nobody else's, until it lets go, or, when it is gone, until the next client comes, who finds the outputs where
 * it left them. The death of either leaves them seized.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rt.h"
#include "base/shared_page.h"
#include "sim/plant_config.h"

struct err;
struct plant_shared;

#define PLANT_MAX_CHANNELS (2 * PLANT_MAX_SITES + 2)

/** What a plant says of itself. */
struct plant_facts {
	uint32_t n_in, n_out;
	uint32_t n_sites, n_parameters;
	int32_t pid;
	double period_s;
	double monostable_s; /* of the device's monostable; 0: it has none */
	uint8_t exclusive;   /* the device can be opened only once: by no guardian beside its owner */
	char name[64];       /* of the plant file */
	uint8_t has_in[PLANT_MAX_CHANNELS],
		has_out[PLANT_MAX_CHANNELS]; /* which channels exist, in the order of sim/plant.h */
};

struct plant_page {
	struct shared_page page;
	struct plant_shared *shared;
	struct plant_facts facts;
	uint64_t seen;     /* client: the last edge it has read */
	uint64_t taken;    /* plant: the edge that the outputs in force were written for */
	uint64_t *pending; /* a set on its way, until it is known to be whole */
	int64_t woke_ns;   /* client: CLOCK_MONOTONIC when the last wait was over; 0: no edge came */
};

/** What a plant file's device says of itself. Call from: setup. */
void plant_state_facts(struct plant_facts *facts, const struct plant_config *config, double period_s);

/**
 * The plant's side: create the page, replacing that of a plant that has ended. The caller ends it with
 * plant_page_close(). Errors: JOSTLE_EINVAL (name), JOSTLE_EBUSY (a plant of that name runs), JOSTLE_EIO. Call from: setup.
 */
int plant_page_create(struct plant_page *page, const char *name, const struct plant_config *config, double period_s,
		      struct err *err);

/** Publish an edge and wake the client. in_V[n_in]. RT_SAFE. Call from: the plant. */
RT_SAFE void plant_page_publish(struct plant_page *page, uint64_t edge, int64_t t_ns, const double in_V[]);

/**
 * Take what the client wrote last, or the guardian while it holds them, into out_V[n_out]; leaves it alone when that one
 * is (or died) in the middle of writing, and single outputs where the number is not finite. RT_SAFE. Call from: the plant.
 */
RT_SAFE void plant_page_take(struct plant_page *page, double out_V[]);

/**
 * The client's side: attach to a running plant. The caller ends it with plant_page_close(), which detaches.
 * Errors: JOSTLE_EINVAL (name), JOSTLE_ENODEV (no such plant runs), JOSTLE_EBUSY (another client has it), JOSTLE_EFORMAT
 * (not a plant's page), JOSTLE_EVERSION. JOSTLE_EBUSY too while the last client's guardian lives. Call from: setup.
 */
int plant_page_attach(struct plant_page *page, const char *name, struct err *err);

/**
 * The guardian's side: open the plant's outputs beside its client, or after its death. The caller ends it with
 * plant_page_close(), which leaves seized outputs seized. Errors: as plant_page_attach(), JOSTLE_EBUSY too when the device
 * can be opened only once. Call from: setup.
 */
int plant_page_guard(struct plant_page *page, const char *name, struct err *err);

/**
 * Write the outputs, out_V[n_out], and hold them: from now on the client's are ignored. Returns 0 or JOSTLE_EIO: the plant
 * has ended. Allocates nothing. Call from: the guardian.
 */
int plant_page_seize(struct plant_page *page, const double out_V[]);

/** Give the outputs back to the client: what it wrote last acts again. RT_SAFE. Call from: the guardian. */
RT_SAFE void plant_page_let_go(struct plant_page *page);

/** Write the outputs for the edge that follows the last one read. out_V[n_out]. RT_SAFE. Call from: the client. */
RT_SAFE void plant_page_write(struct plant_page *page, const double out_V[]);

/**
 * Wait, at most timeout_ns, for an edge that has not been read yet. Returns 0, JOSTLE_EMISSED (more than one has passed,
 * or the outputs in force at this one are older than the last write), or JOSTLE_EIO: no edge in time, the plant has ended, or its edges make no sense; in_V is then left alone.
 * RT_SAFE but for the wait itself. Call from: the client.
 */
RT_SAFE int plant_page_wait(struct plant_page *page, int64_t timeout_ns, double in_V[], int64_t *t_ns);

/** Pass over the edges so far: the next wait is for the one to come. RT_SAFE. Call from: the client. */
RT_SAFE void plant_page_skip(struct plant_page *page);

/** Close either side; the plant's removes the name. Safe to call twice. Call from: setup. */
void plant_page_close(struct plant_page *page);

#endif
