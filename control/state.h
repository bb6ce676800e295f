#ifndef JOSTLE_CONTROL_STATE_H
#define JOSTLE_CONTROL_STATE_H
/*
 * What one tick of the loop hands from stage to stage: state, setpoint, command. Natural units but for the clock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/** What the inputs say at one sample edge. */
struct state {
	int64_t t_ns;  /* the edge, on the bench's clock */
	uint64_t tick; /* the edge's number on the time grid, 0 for the first; a missed slot leaves its number out */
	uint64_t slots_missed; /* left out just before this edge */
	uint32_t outside;      /* enum outside of control/tick.h, or'ed */
	double temperature_K;  /* of the bath; NaN where nobody measures it */
	bool missed; /* the outputs were held up to this edge or beyond: slots were left out, or a write came late */
	size_t n_sites;
	double *x;     /* [n_sites] */
	double *force; /* [n_sites]: measured; 0 at a site whose force nobody measures */
};

enum setpoint_kind {
	SETPOINT_PASSIVE, /* nothing is commanded: the bench relaxes by itself */
	SETPOINT_PROTOCOL /* the driving protocol at diffusion time t */
};

/** What is wanted of the bench from the next edge on. */
struct setpoint {
	enum setpoint_kind kind;
	double t; /* diffusion time at the edge where the command acts */
};

/**
 * What is commanded, one number for each output in the order of the bench file: a force for role force, the value of
 * theta for role parameter. Auxiliary outputs are not commanded: their numbers are ignored.
 */
struct command {
	size_t n_out;
	double *value;   /* [n_out] */
	bool *saturated; /* [n_out]: the channel's range cut this one short */
};

/**
 * All zero. The caller ends them with _fini(), which is safe on zeroed memory. Errors: JOSTLE_ENOMEM.
 * Call from: setup.
 */
int state_init(struct state *state, size_t n_sites, struct err *err);
void state_fini(struct state *state);
int command_init(struct command *command, size_t n_out, struct err *err);
void command_fini(struct command *command);

#endif
