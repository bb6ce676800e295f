#include "control/state.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/memory.h"

int state_init(struct state *state, size_t n_sites, struct err *err)
{
	*state = (struct state){.n_sites = n_sites};
	state->x = memory_touched(n_sites, sizeof(*state->x));
	state->force = memory_touched(n_sites, sizeof(*state->force));
	if (state->x && state->force)
		return 0;
	state_fini(state);
	return err_set(err, JOSTLE_ENOMEM, "no memory for the state of %zu sites", n_sites);
}

void state_fini(struct state *state)
{
	free(state->x);
	free(state->force);
	*state = (struct state){0};
}

int command_init(struct command *command, size_t n_out, struct err *err)
{
	*command = (struct command){.n_out = n_out};
	command->value = memory_touched(n_out, sizeof(*command->value));
	command->saturated = memory_touched(n_out, sizeof(*command->saturated));
	if (command->value && command->saturated)
		return 0;
	command_fini(command);
	return err_set(err, JOSTLE_ENOMEM, "no memory for a command of %zu outputs", n_out);
}

void command_fini(struct command *command)
{
	free(command->value);
	free(command->saturated);
	*command = (struct command){0};
}
