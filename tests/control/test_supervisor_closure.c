/*
 * Every state that any sequence of requests, sound ticks and faults can bring a supervisor to, found by trying all of them
 * from each state found so far until nothing new turns up. What a later step can depend on is the supervisor's state, its
 * condition, its trip, and the counters that make a fault of several ticks; these are set so that each fault is there at
 * its first tick, or has just gone.
 */
#include "control/support/supervisor_fixture.h"

#include <string.h>

#include "control/tick.h"

enum action {
	ASK_RESET,
	ASK_ARM,
	ASK_RUN,
	ASK_STOP,
	ASK_NARROWER,
	ASK_WIDER,
	TICK_WHOLE,
	TICK_LATE, /* edges were missed, fewer than the bench allows */
	FAULT_EXCHANGE,
	FAULT_INPUT,
	FAULT_STALE_INPUT,
	FAULT_STALE_CLOCK,
	FAULT_CLOCK_STEP,
	FAULT_DIVERGENCE,
	FAULT_FORCE,
	FAULT_VOLTS,
	FAULT_MISSED,
	FAULT_RAIL,
	FAULT_TEMPERATURE,
	FAULT_CALIBRATION,
	FAULT_READING,
	FAULT_SILENT,
	FAULT_GUARDIAN_LOST,
	FAULT_GUARDIAN,
	FAULT_COMMAND, /* these three only while the outputs follow the command */
	FAULT_SPAN,
	FAULT_SATURATION,
	FAULT_OTHER, /* supervisor_trip() */
	N_ACTIONS
};

/** How far the requests that were granted since the last fault have come: reset, arm, run. A stop leaves the reset. */
struct node {
	enum supervisor_state state;
	enum trip_cause condition, trip;
	unsigned granted;
};

/* Every cause has its action; two kinds of tick are none, and TRIP_START is where it begins. */
_Static_assert(N_ACTIONS - 1 - FAULT_EXCHANGE == TRIP_N_CAUSES - 2, "every cause of a trip is tried");

#define N_NODES (SUPERVISOR_N_STATES * TRIP_N_CAUSES * TRIP_N_CAUSES * 4)

static struct node nodes[N_NODES];
static size_t n_nodes;

static void add(struct node node)
{
	for (size_t i = 0; i < n_nodes; i++)
		if (nodes[i].state == node.state && nodes[i].condition == node.condition &&
		    nodes[i].trip == node.trip && nodes[i].granted == node.granted)
			return;
	assert_true(n_nodes < N_NODES);
	nodes[n_nodes++] = node;
}

static void build_guarded(struct fixture *f, bool arming_allowed)
{
	*f = (struct fixture){.bench = test_bench_feedback()};
	f->bench->in[2].limit = 30e-13;
	f->bench->in[3].role = DAQ_TEMPERATURE;
	f->bench->in[3].limit_min_K = 280;
	f->bench->in[3].limit_max_K = 320;
	f->bench->out[2].role = DAQ_HEARTBEAT;
	f->bench->out[2].safe_V = 0;
	f->bench->rail_periods = 3;
	f->bench->missed_periods = 10;
	f->bench->limit_drive_V2 = 25;
	build_on(f, arming_allowed);
}

/** The supervisor in a node, with no count begun and a sound tick ahead. */
static void go_to(struct fixture *f, struct node node)
{
	struct supervisor *supervisor = &f->supervisor;

	supervisor->state = node.state;
	supervisor->condition = node.condition;
	supervisor->trip.cause = node.trip;
	memset(supervisor->n_identical, 0, 4 * sizeof(*supervisor->n_identical));
	memset(supervisor->n_railed, 0, 4 * sizeof(*supervisor->n_railed));
	memset(supervisor->n_saturated, 0, 3 * sizeof(*supervisor->n_saturated));
	memset(supervisor->slot_missed, 0, BENCH_MISSED_WINDOW);
	supervisor->n_missed = 0;
	memset(f->in_V, 0, sizeof(f->in_V));
	supervisor->seen = true;
	supervisor->last_t_ns = f->state.t_ns;
	next_edge(f);
	memset(f->state.x, 0, TEST_SITES * sizeof(*f->state.x));
	memset(f->state.force, 0, TEST_SITES * sizeof(*f->state.force));
	memset(f->command.saturated, 0, 3 * sizeof(*f->command.saturated));
	f->state.temperature_K = 300;
	f->state.outside = 0;
	f->state.slots_missed = 0;
	f->state.missed = false;
	f->command.value[0] = 5;
	f->command.value[1] = -5;
}

static void tick_with(struct fixture *f, enum action action)
{
	struct supervisor *supervisor = &f->supervisor;
	int exchange = 0;

	switch (action) {
	case FAULT_EXCHANGE:
		exchange = JOSTLE_EIO;
		break;
	case FAULT_INPUT:
		f->in_V[2] = NAN;
		break;
	case FAULT_STALE_INPUT:
		f->in_V[1] = supervisor->last_in_V[1];
		supervisor->n_identical[1] = f->bench->stale_periods - 1;
		break;
	case FAULT_STALE_CLOCK:
		f->state.t_ns = supervisor->last_t_ns;
		break;
	case FAULT_CLOCK_STEP:
		f->state.t_ns += (int64_t)(4 * f->bench->period_s * 1e9);
		break;
	case FAULT_DIVERGENCE:
		f->state.x[1] = -51;
		break;
	case FAULT_FORCE:
		f->state.force[0] = 31;
		break;
	case FAULT_VOLTS:
		f->in_V[3] = 41;
		break;
	case TICK_LATE:
	case FAULT_MISSED:
		exchange = JOSTLE_EMISSED;
		f->state.missed = true;
		f->state.slots_missed = action == FAULT_MISSED ? 11 : 10;
		break;
	case FAULT_RAIL:
		f->in_V[0] = -40;
		supervisor->n_railed[0] = 2;
		break;
	case FAULT_TEMPERATURE:
		f->state.temperature_K = 321;
		break;
	case FAULT_CALIBRATION:
		f->state.outside = OUTSIDE_EXPIRED;
		break;
	case FAULT_READING:
		f->state.outside = OUTSIDE_READING;
		break;
	case FAULT_SILENT:
		f->state.outside = OUTSIDE_SILENT;
		break;
	case FAULT_GUARDIAN_LOST:
		f->state.outside = OUTSIDE_GUARDIAN_LOST;
		break;
	case FAULT_GUARDIAN:
		f->state.outside = OUTSIDE_GUARDIAN_SEIZED;
		break;
	case FAULT_COMMAND:
		f->command.value[0] = NAN;
		break;
	case FAULT_SATURATION:
		f->command.saturated[1] = true;
		supervisor->n_saturated[1] = f->bench->saturated_periods;
		break;
	default:
		break;
	}
	calibration_to_volts(&f->calibration, &f->command, f->out_V);
	const double physical_max_V = supervisor->out[0].physical_max_V;

	if (action == FAULT_SPAN)
		f->out_V[0] = supervisor->out[0].physical_max_V = 11;
	supervisor_limit(supervisor, exchange, f->in_V, &f->state, &f->command, f->out_V);
	supervisor->out[0].physical_max_V = physical_max_V;
}

static const enum supervisor_event asked[] = {[ASK_RESET] = SUPERVISOR_RESET,
					      [ASK_ARM] = SUPERVISOR_ARM,
					      [ASK_RUN] = SUPERVISOR_RUN,
					      [ASK_STOP] = SUPERVISOR_STOP};

static unsigned grant(unsigned granted, enum action action)
{
	if (action == ASK_RESET)
		return 1;
	if (action == ASK_STOP)
		return granted > 0;
	return granted == (unsigned)action ? granted + 1 : granted;
}

/** Whether the tick of an action finds nothing wrong, in this state. */
static bool is_sound(enum action action, enum supervisor_state state)
{
	const bool of_command = action == FAULT_COMMAND || action == FAULT_SPAN || action == FAULT_SATURATION;

	return action == TICK_WHOLE || action == TICK_LATE || (of_command && state != SUPERVISOR_RUNNING);
}

static void check_tick(const struct fixture *f, struct node before, enum action action)
{
	const struct supervisor *supervisor = &f->supervisor;

	assert_true((supervisor->condition == TRIP_NONE) == is_sound(action, before.state));
	if (!is_sound(action, before.state))
		assert_int_equal(supervisor->state, SUPERVISOR_FAULT);
	else
		assert_int_equal(supervisor->state, before.state == SUPERVISOR_SAFE ? SUPERVISOR_IDLE : before.state);
	for (size_t k = 0; k < 2; k++)
		assert_true((f->out_V[k] == f->bench->out[k].safe_V) == (supervisor->state != SUPERVISOR_RUNNING));
	assert_true(supervisor->state != SUPERVISOR_FAULT || f->out_V[2] == 0);
}

static struct node step(struct fixture *f, struct node node, enum action action)
{
	struct supervisor *supervisor = &f->supervisor;
	const struct trip other = {.cause = TRIP_STALE_CLOCK};

	go_to(f, node);
	if (action <= ASK_STOP) {
		if (supervisor_event(supervisor, asked[action])) {
			assert_true(action == ASK_STOP || node.condition == TRIP_NONE);
			node.granted = grant(node.granted, action);
		}
	} else if (action == ASK_NARROWER) {
		assert_true(supervisor_narrow(supervisor, 0, -9, 9, 0));
	} else if (action == ASK_WIDER) {
		assert_false(supervisor_narrow(supervisor, 0, -9, 9.1, 0));
	} else if (action == FAULT_OTHER) {
		supervisor_trip(supervisor, &other);
		assert_int_equal(supervisor->state, SUPERVISOR_FAULT);
	} else {
		tick_with(f, action);
		check_tick(f, node, action);
	}
	if (supervisor->state == SUPERVISOR_FAULT)
		node.granted = 0;
	node.state = supervisor->state;
	node.condition = supervisor->condition;
	node.trip = supervisor->trip.cause;
	return node;
}

static void close_over(bool arming_allowed, bool reached[SUPERVISOR_N_STATES])
{
	struct fixture f;

	build_guarded(&f, arming_allowed);
	n_nodes = 0;
	memset(reached, 0, SUPERVISOR_N_STATES * sizeof(*reached));
	add((struct node){f.supervisor.state, f.supervisor.condition, f.supervisor.trip.cause, 0});
	for (size_t i = 0; i < n_nodes; i++) {
		reached[nodes[i].state] = true;
		for (int action = 0; action < N_ACTIONS; action++) {
			const struct node found = step(&f, nodes[i], (enum action)action);

			if (found.state == SUPERVISOR_RUNNING && found.granted != 3)
				fail_msg("from %s with %u granted, action %d: runs without reset, arm and run",
					 supervisor_state_name(nodes[i].state), nodes[i].granted, action);
			add(found);
		}
	}
	destroy(&f);
}

static bool is_latched(enum trip_cause cause)
{
	for (size_t i = 0; i < n_nodes; i++)
		if (nodes[i].state == SUPERVISOR_FAULT && nodes[i].trip == cause)
			return true;
	return false;
}

/*
 * catches: any way into ARMED or RUNNING that leaves out a reset, an arm or a run, by whatever fault and request; a stop
 * after which run alone suffices; a request granted while something is wrong; a fault that some state overlooks, outputs off safe_V outside RUNNING
 */
static void nothing_reaches_running_without_reset_arm_and_run_after_a_fault(void **state)
{
	bool reached[SUPERVISOR_N_STATES];

	(void)state;
	close_over(true, reached);
	for (int s = 0; s < SUPERVISOR_N_STATES; s++)
		assert_true(reached[s]);
	/* FAULT by every cause, latched and still there or gone; the other states besides. */
	for (int cause = TRIP_NONE + 1; cause < TRIP_N_CAUSES; cause++)
		assert_true(is_latched((enum trip_cause)cause));
	assert_true(n_nodes > 2 * TRIP_N_CAUSES);
}

/* catches: hardware armed by any sequence though nobody gave leave */
static void nothing_arms_without_leave(void **state)
{
	bool reached[SUPERVISOR_N_STATES];

	(void)state;
	close_over(false, reached);
	assert_true(reached[SUPERVISOR_IDLE] && reached[SUPERVISOR_SAFE] && reached[SUPERVISOR_FAULT]);
	assert_false(reached[SUPERVISOR_ARMED] || reached[SUPERVISOR_RUNNING]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_reaches_running_without_reset_arm_and_run_after_a_fault),
		cmocka_unit_test(nothing_arms_without_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
