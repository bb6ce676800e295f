/*
 * The clamp: no voltage vector that leaves the supervisor is out of any limit, its own or shared, whatever is asked; and
 * what is within them all is left alone. Benches, limits and commands are random, from a fixed seed; limits are checked
 * here from the bench file's numbers, not the supervisor's.
 */
#include "control/support/supervisor_fixture.h"

#include <string.h>

#include "base/random.h"

#define MAX_OUT   12
#define N_BENCHES 1000
#define N_VECTORS 1000
#define GAMMA     1e-8

struct trial {
	struct bench bench;
	struct bench_channel in[9], out[MAX_OUT];
	struct calibration_record record;
	struct calibration calibration;
	struct supervisor supervisor;
	struct state state;
	struct command command;
	double in_V[9], asked_V[MAX_OUT], out_V[MAX_OUT], last_V[MAX_OUT];
	double min_V[MAX_OUT], max_V[MAX_OUT], slew_V[MAX_OUT]; /* as narrowed so far */
	bool jumps;                                             /* a narrower window left the last vector out */
};

static uint64_t drawn;

/** Uniform from 0 to 1, the next of one stream. */
static double uniform(void)
{
	double four[4];

	random_uniforms(4, RANDOM_BATH, 0, drawn / 4, 0, four);
	return four[drawn++ % 4];
}

static double between(double a, double b)
{
	return a + (b - a) * uniform();
}

static bool chance(double p)
{
	return uniform() < p;
}

static double force_N(const struct bench_channel *out, double V)
{
	return (V - out->offset_V) / out->gain;
}

static void draw_output(struct bench_channel *out, enum daq_role role, size_t index)
{
	*out = (struct bench_channel){.role = role, .index = index, .min_V = -10, .max_V = 10};
	out->limit_min_V = chance(0.5) ? -10 : between(-10, 2);
	out->limit_max_V = chance(0.5) ? 10 : between(out->limit_min_V + 0.5, 10);
	out->safe_V = between(out->limit_min_V, out->limit_max_V);
	out->slew_V_per_s = chance(0.4) ? 0 : exp(between(log(1e2), log(2e5))); /* 0.01 to 20 V in a period */
	if (role == DAQ_HEARTBEAT) {
		out->gain = 1;
		out->safe_V = out->limit_min_V;
		out->slew_V_per_s = 0;
		return;
	}
	out->gain = (chance(0.5) ? 1 : -1) * (role == DAQ_FORCE ? exp(between(log(1e11), log(1e13))) : 0.1);
	out->offset_V = chance(0.5) ? 0 : between(-1, 1);
	if (chance(0.5))
		out->limit = fabs(force_N(out, out->safe_V)) + between(0, 3) / fabs(out->gain);
}

/** A lattice of up to nine sites with a force on each, in some order, a parameter or two, perhaps a heartbeat. */
static void draw_bench(struct trial *t)
{
	static char name[] = "random";
	struct bench *b = &t->bench;

	memset(t, 0, sizeof(*t));
	*b = (struct bench){.name = name, .period_s = 1e-4, .drive = DRIVE_FEEDBACK, .in = t->in, .out = t->out};
	b->stiffness_N_per_m = 1e-6;
	b->damping_N_s_per_m = GAMMA;
	b->temperature_K = 1e-20 / BOLTZMANN_J_PER_K;
	b->nx = 1 + (size_t)between(0, 2.999);
	b->ny = 1 + (size_t)between(0, 2.999);
	b->n_in = b->n_out = b->nx * b->ny;
	for (size_t i = 0; i < b->n_in; i++) {
		t->in[i] = (struct bench_channel){.index = i, .min_V = -40, .max_V = 40, .gain = 1e6};
		t->in[i].limit_min_V = -40;
		t->in[i].limit_max_V = 40;
		draw_output(&t->out[i], DAQ_FORCE, i);
	}
	for (size_t n = 0; n < 2 && chance(0.5); n++)
		draw_output(&t->out[b->n_out++], DAQ_PARAMETER, n);
	if (chance(0.5))
		draw_output(&t->out[b->n_out++], DAQ_HEARTBEAT, 0);
	for (size_t k = b->n_out; k-- > 1;) {
		const size_t j = (size_t)between(0, (double)k + 0.999);
		const struct bench_channel kept = t->out[k];

		t->out[k] = t->out[j];
		t->out[j] = kept;
	}
	b->limit_difference_V = chance(0.5) ? between(0.1, 10) : 0;
	b->limit_difference_N = chance(0.5) ? exp(between(log(1e-13), log(1e-10))) : 0;
	b->limit_drive_V2 = chance(0.5) ? between(0.1, 200) : 0;
	b->limit_drive_W = chance(0.5) ? exp(between(log(1e-25), log(1e-21))) / GAMMA : 0;
}

/** Build until safe_V of all outputs keeps the limits drawn. */
static size_t build_random(struct trial *t)
{
	struct err err = {0};
	size_t refused = 0;

	for (;; refused++) {
		draw_bench(t);
		if (bench_calibration_nominal(&t->record, &t->bench, &err) ||
		    calibration_init(&t->calibration, &t->bench, &t->record, t->bench.period_s, &err))
			fail_msg("%s", err.text);
		const int code =
			supervisor_init(&t->supervisor, &t->bench, &t->calibration, t->bench.period_s, true, &err);

		if (code == 0)
			break;
		assert_int_equal(code, JOSTLE_ECONFIG);
		assert_non_null(strstr(err.text, "limit_d"));
		calibration_fini(&t->calibration);
		calibration_record_fini(&t->record);
	}
	assert_int_equal(state_init(&t->state, t->bench.nx * t->bench.ny, &err), 0);
	assert_int_equal(command_init(&t->command, t->bench.n_out, &err), 0);
	for (size_t k = 0; k < t->bench.n_out; k++) {
		t->min_V[k] = t->out[k].limit_min_V;
		t->max_V[k] = t->out[k].limit_max_V;
		t->slew_V[k] = t->out[k].slew_V_per_s > 0 ? t->out[k].slew_V_per_s * t->bench.period_s : INFINITY;
		t->last_V[k] = t->out[k].safe_V;
	}
	t->supervisor.state = SUPERVISOR_RUNNING;
	return refused;
}

static void end(struct trial *t)
{
	supervisor_fini(&t->supervisor);
	calibration_fini(&t->calibration);
	calibration_record_fini(&t->record);
	state_fini(&t->state);
	command_fini(&t->command);
}

static bool is_driven(const struct trial *t, size_t k)
{
	return t->out[k].role != DAQ_HEARTBEAT;
}

/** Within the converter's span, beyond the other limits more often than not. */
static void ask_at_random(struct trial *t)
{
	const double share = chance(0.3) ? 0.1 : 0.9999;
	const bool one_way = chance(0.3);

	for (size_t k = 0; k < t->bench.n_out; k++)
		t->asked_V[k] = chance(0.02)  ? t->last_V[k]
				: chance(0.1) ? t->min_V[k]
				: chance(0.1) ? t->max_V[k]
				: one_way     ? between(5, 9.999)
					      : share * between(-10, 10);
}

static void tick_asked(struct trial *t)
{
	for (size_t i = 0; i < t->bench.n_in; i++)
		t->in_V[i] = 1e-3 * (double)(t->state.tick % 2);
	t->state.tick++;
	t->state.t_ns += 100000;
	memcpy(t->out_V, t->asked_V, sizeof(t->out_V));
	supervisor_limit(&t->supervisor, 0, t->in_V, &t->state, &t->command, t->out_V);
	if (!supervisor_running(&t->supervisor))
		fail_msg("tripped: cause %d, channel %zu, %g", t->supervisor.trip.cause, t->supervisor.trip.channel,
			 t->supervisor.trip.value);
}

/** The largest share of any shared limit that these voltages take up. */
static double share_taken(const struct trial *t, const double V[])
{
	const struct bench *b = &t->bench;
	double sum_W = 0, sum_V2 = 0, share = 0;

	for (size_t k = 0; k < b->n_out; k++) {
		if (is_driven(t, k))
			sum_V2 += (V[k] - t->out[k].safe_V) * (V[k] - t->out[k].safe_V);
		if (t->out[k].role != DAQ_FORCE)
			continue;
		sum_W += force_N(&t->out[k], V[k]) * force_N(&t->out[k], V[k]) / GAMMA;
		for (size_t j = 0; j < b->n_out; j++) {
			const size_t a = t->out[k].index, c = t->out[j].index;
			const bool beside = c == a + 1 && c % b->nx != 0, below = c == a + b->nx;

			if (t->out[j].role != DAQ_FORCE || !(beside || below))
				continue;
			if (b->limit_difference_V > 0)
				share = fmax(share, fabs(V[k] - V[j]) / b->limit_difference_V);
			if (b->limit_difference_N > 0)
				share = fmax(share, fabs(force_N(&t->out[k], V[k]) - force_N(&t->out[j], V[j])) /
							    b->limit_difference_N);
		}
	}
	if (b->limit_drive_W > 0)
		share = fmax(share, sum_W / b->limit_drive_W);
	if (b->limit_drive_V2 > 0)
		share = fmax(share, sum_V2 / b->limit_drive_V2);
	return share;
}

/** None may be off by more than a rounding of this test's own, other arithmetic. */
static void check_limits(const struct trial *t)
{
	for (size_t k = 0; k < t->bench.n_out; k++) {
		const struct bench_channel *out = &t->out[k];
		const double v = t->out_V[k];
		const double rounding = 1e-14 * (fabs(v) + fabs(out->offset_V)) / fabs(out->gain);

		if (!(v >= t->min_V[k] && v <= t->max_V[k]))
			fail_msg("output %zu: %.17g V outside %.17g to %.17g", k, v, t->min_V[k], t->max_V[k]);
		if (out->limit > 0 && !(fabs(force_N(out, v)) <= out->limit + rounding))
			fail_msg("output %zu: %.17g beyond %.17g", k, force_N(out, v), out->limit);
		if (is_driven(t, k) && !t->jumps &&
		    !(v >= t->last_V[k] - t->slew_V[k] && v <= t->last_V[k] + t->slew_V[k]))
			fail_msg("output %zu: from %.17g to %.17g V, slew %.17g", k, t->last_V[k], v, t->slew_V[k]);
	}
	const double share = share_taken(t, t->out_V);

	if (!(share <= 1 + 1e-12))
		fail_msg("a shared limit is taken up by 1 + %g", share - 1);
}

/** Try to narrow an output's limits; keep account of what was granted. */
static void narrow_at_random(struct trial *t)
{
	const size_t k = (size_t)between(0, (double)t->bench.n_out - 0.001);
	const double safe_V = t->out[k].safe_V;
	const double min_V = chance(0.1) ? between(-10, 10) : safe_V - between(0, 1) * (safe_V - t->min_V[k]);
	const double max_V = chance(0.1) ? between(-10, 10) : safe_V + between(0, 1) * (t->max_V[k] - safe_V);
	const double slew_V_per_s = chance(0.5) ? 0 : exp(between(log(1e2), log(1e5)));
	const bool narrower = min_V >= t->min_V[k] && max_V <= t->max_V[k] && min_V <= safe_V && max_V >= safe_V &&
			      slew_V_per_s * t->bench.period_s <= t->slew_V[k] && is_driven(t, k);

	assert_int_equal(supervisor_narrow(&t->supervisor, k, min_V, max_V, slew_V_per_s), narrower);
	if (!narrower)
		return;
	t->min_V[k] = min_V;
	t->max_V[k] = max_V;
	if (slew_V_per_s > 0)
		t->slew_V[k] = slew_V_per_s * t->bench.period_s;
	t->jumps |= t->last_V[k] < min_V || t->last_V[k] > max_V;
}

/** What the outputs' own limits make of what was asked. */
static void cut_alone(const struct trial *t, double V[])
{
	for (size_t k = 0; k < t->bench.n_out; k++) {
		const struct output_guard *guard = &t->supervisor.out[k];

		V[k] = fmin(fmax(t->asked_V[k], fmax(t->min_V[k], guard->physical_min_V)),
			    fmin(t->max_V[k], guard->physical_max_V));
		if (!is_driven(t, k))
			V[k] = t->out[k].safe_V;
	}
}

struct tally {
	size_t left_alone, at_a_shared_limit, on_the_line;
};

/** Nothing is taken away without need: wanted where that is allowed, else as far as a limit lets it go. */
static void check_need(const struct trial *t, struct tally *tally)
{
	double cut_V[MAX_OUT];
	bool slewed = false, all_slack = true;

	cut_alone(t, cut_V);
	for (size_t k = 0; k < t->bench.n_out; k++) {
		if (!is_driven(t, k))
			continue;
		slewed |= fabs(t->out_V[k] - t->last_V[k]) >= t->slew_V[k] * (1 - 1e-9);
		all_slack &= fabs(cut_V[k] - t->last_V[k]) <= t->slew_V[k];
	}
	const double wanted = share_taken(t, cut_V);

	if (wanted <= 1 - 1e-6 && all_slack) {
		for (size_t k = 0; k < t->bench.n_out; k++)
			assert_true(!is_driven(t, k) || t->out_V[k] == cut_V[k]);
		tally->left_alone++;
	} else if (wanted >= 1 + 1e-6 && !slewed) {
		assert_true(share_taken(t, t->out_V) >= 1 - 1e-8);
		tally->at_a_shared_limit++;
	}
	if (slewed && wanted <= 1)
		for (size_t k = 0; k < t->bench.n_out; k++)
			if (is_driven(t, k) && t->out_V[k] != cut_V[k] &&
			    fabs(t->out_V[k] - t->last_V[k]) < t->slew_V[k] * (1 - 1e-9)) {
				tally->on_the_line++;
				break;
			}
}

/*
 * catches: a limit that one path forgets; scaling about 0 V or about zero force instead of safe_V; slew after which a
 * difference or the power is out; narrower limits that hold for one output at its neighbours' cost; a heartbeat counted
 * in; outputs cut without need
 */
static void a_million_random_vectors_leave_within_every_limit(void **state)
{
	struct tally tally = {0};
	size_t refused = 0;

	(void)state;
	drawn = 0;
	for (size_t b = 0; b < N_BENCHES; b++) {
		struct trial t;
		const bool narrows = chance(0.5);

		refused += build_random(&t);
		for (size_t n = 0; n < N_VECTORS; n++) {
			t.jumps = false;
			if (narrows && chance(0.005))
				narrow_at_random(&t);
			if (n == 0 || chance(0.5))
				ask_at_random(&t);
			tick_asked(&t);
			check_limits(&t);
			if (!t.jumps)
				check_need(&t, &tally);
			memcpy(t.last_V, t.out_V, sizeof(t.last_V));
		}
		end(&t);
	}
	assert_true(tally.left_alone > 20000 && tally.at_a_shared_limit > 20000 && tally.on_the_line > 1000);
	assert_true(refused < 20 * N_BENCHES);
}

/* catches: outputs that stick on the way, or end elsewhere than where they would without a slew limit */
static void what_is_asked_for_long_enough_is_reached(void **state)
{
	(void)state;
	drawn = 0;
	for (size_t b = 0; b < 300; b++) {
		struct trial t, free;
		uint64_t at = drawn;

		build_random(&t);
		drawn = at;
		build_random(&free);
		for (size_t k = 0; k < free.bench.n_out; k++)
			free.supervisor.out[k].slew_V = INFINITY;
		for (int round = 0; round < 3; round++) {
			ask_at_random(&t);
			memcpy(free.asked_V, t.asked_V, sizeof(t.asked_V));
			tick_asked(&free);
			for (int n = 0; n < 4000; n++)
				tick_asked(&t);
			for (size_t k = 0; k < t.bench.n_out; k++)
				if (is_driven(&t, k))
					assert_near(t.out_V[k], free.out_V[k], 1e-9);
		}
		end(&t);
		end(&free);
	}
}

/* catches: difference limits between outputs that are no neighbours, over the lattice's edge, or in the order of channels */
static void only_neighbours_differences_are_limited(void **state)
{
	struct trial t;
	struct err err = {0};

	(void)state;
	do {
		draw_bench(&t);
	} while (t.bench.nx != 3 || t.bench.ny != 2);
	for (size_t k = 0; k < t.bench.n_out; k++) {
		t.out[k].limit_min_V = -10;
		t.out[k].limit_max_V = 10;
		t.out[k].safe_V = t.out[k].offset_V = t.out[k].limit = t.out[k].slew_V_per_s = 0;
		t.out[k].gain = t.out[k].role == DAQ_FORCE ? 1e12 : 1;
	}
	t.bench.limit_drive_W = t.bench.limit_drive_V2 = t.bench.limit_difference_N = 0;
	t.bench.limit_difference_V = 3;
	assert_int_equal(bench_calibration_nominal(&t.record, &t.bench, &err), 0);
	assert_int_equal(calibration_init(&t.calibration, &t.bench, &t.record, t.bench.period_s, &err), 0);
	assert_int_equal(supervisor_init(&t.supervisor, &t.bench, &t.calibration, t.bench.period_s, true, &err), 0);
	/* 0 1 2 over 3 4 5: only these seven pairs. */
	static const bool beside[6][6] = {{0, 1, 0, 1},    {1, 0, 1, 0, 1},    {0, 1, 0, 0, 0, 1},
					  {1, 0, 0, 0, 1}, {0, 1, 0, 1, 0, 1}, {0, 0, 1, 0, 1}};

	for (size_t a = 0; a < 6; a++)
		for (size_t b = 0; b < 6; b++) {
			double V[MAX_OUT] = {0};
			struct shared_limits *shared = &t.supervisor.shared;

			if (a == b)
				continue;
			for (size_t k = 0; k < t.bench.n_out; k++)
				if (t.out[k].role == DAQ_FORCE)
					V[k] = t.out[k].index == a ? 2 : t.out[k].index == b ? -2 : 0;
			assert_int_equal(shared_limits_hold(shared, V), !beside[a][b]);
			assert_near(shared_limits_scale(shared, V), beside[a][b] ? 0.75 : 1, 1e-8);
		}
	supervisor_fini(&t.supervisor);
	calibration_fini(&t.calibration);
	calibration_record_fini(&t.record);
}

/* catches: a bench whose safe voltages the supervisor itself would refuse; forces taken for volts, power for its square
 * root, another damping */
static void shared_limits_that_safe_does_not_keep_are_refused_and_named(void **state)
{
	/* Test bench, safe_V: 2 V and -2.4375 V: 20 and 12.5 units of force, the second of 1e-13 N at -2e12 V/N from 0.0625 V */
	static const struct {
		const char *field;
		size_t at;
		double kept, broken;
	} cases[] = {
		{"limit_difference_V", offsetof(struct bench, limit_difference_V), 4.4376, 4.4374},
		{"limit_difference_N", offsetof(struct bench, limit_difference_N), 7.51e-13, 7.49e-13},
		{"limit_drive_W", offsetof(struct bench, limit_drive_W), 5.563e-16, 5.562e-16},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (int broken = 0; broken < 2; broken++) {
			struct fixture f = {.bench = test_bench_feedback()};
			struct supervisor supervisor;
			struct err err = {0};

			build_on(&f, true);
			f.bench->out[0].safe_V = 2;
			f.bench->out[1].safe_V = -2.4375;
			*(double *)((char *)f.bench + cases[i].at) = broken ? cases[i].broken : cases[i].kept;
			const int code = supervisor_init(&supervisor, f.bench, &f.calibration, 1e-4, true, &err);

			assert_int_equal(code, broken ? JOSTLE_ECONFIG : 0);
			if (broken)
				assert_non_null(strstr(err.text, cases[i].field));
			else
				supervisor_fini(&supervisor);
			destroy(&f);
		}
}

/* catches: limits that narrow only from the next reset on, a jump where the slew still has its way, NaN taken for no limit */
static void narrower_limits_hold_from_the_next_tick_on(void **state)
{
	struct fixture *f = *state;
	struct supervisor *supervisor = &f->supervisor;

	tick(f, 30, 10);
	assert_near(f->out_V[0], 3, 1e-12);
	const double second_V = f->out_V[1];

	assert_false(supervisor_narrow(supervisor, 0, NAN, 1, 0));
	assert_false(supervisor_narrow(supervisor, 0, -1, NAN, 0));
	assert_false(supervisor_narrow(supervisor, 0, -1, 1, NAN));
	assert_false(supervisor_narrow(supervisor, 0, -1, 1, -1));
	assert_false(supervisor_narrow(supervisor, 0, 0.1, 1, 0));
	assert_false(supervisor_narrow(supervisor, 0, -1, -0.1, 0));
	assert_false(supervisor_narrow(supervisor, 3, -1, 1, 0));
	assert_false(supervisor_narrow(supervisor, SIZE_MAX, -1, 1, 0));
	tick(f, 30, 10);
	assert_near(f->out_V[0], 3, 1e-12);
	assert_true(supervisor_narrow(supervisor, 0, -1, 1, 500));
	assert_near(supervisor->out[0].slew_V, 0.05, 1e-15);
	tick(f, 30, 10);
	assert_near(f->out_V[0], 1, 0);
	assert_near(f->out_V[1], second_V, 1e-12);
	tick(f, -30, 10);
	assert_near(f->out_V[0], 0.95, 1e-12);
	assert_false(supervisor_narrow(supervisor, 0, -1, 1, 501));
	assert_true(supervisor_narrow(supervisor, 0, -1, 1, 500));
	assert_false(supervisor_narrow(supervisor, 0, -1, 1.1, 0));
	/* Nobody widens them again, a reset neither. */
	f->in_V[0] = NAN;
	judge(f, 0);
	f->in_V[0] = 0;
	bring_to_running(f);
	for (int n = 0; n < 100; n++)
		tick(f, 30, 10);
	assert_near(f->out_V[0], 1, 0);
}

/* catches: one output pulled in at once and its neighbour left behind, or all of them thrown to safe_V for it */
static void narrower_limits_draw_all_outputs_in_by_the_same_share(void **state)
{
	struct fixture f = {.bench = test_bench_feedback()};

	(void)state;
	f.bench->limit_difference_V = 2;
	f.bench->out[0].slew_V_per_s = f.bench->out[1].slew_V_per_s = 100; /* 0.01 V in a period */
	build_on(&f, true);
	bring_to_running(&f);
	for (int n = 0; n < 1000; n++)
		tick(&f, 40, -12.1875);
	assert_near(f.out_V[0], 4, 1e-12);
	assert_near(f.out_V[1], 2.5, 1e-12);
	assert_true(supervisor_narrow(&f.supervisor, 0, -1, 1, 0));
	tick(&f, 40, -12.1875);
	assert_near(f.out_V[0], 1, 1e-12);
	assert_near(f.out_V[1], 0.625, 0.0101);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_random_vectors_leave_within_every_limit),
		cmocka_unit_test(what_is_asked_for_long_enough_is_reached),
		cmocka_unit_test(only_neighbours_differences_are_limited),
		cmocka_unit_test(shared_limits_that_safe_does_not_keep_are_refused_and_named),
		cmocka_unit_test(narrower_limits_draw_all_outputs_in_by_the_same_share),
		cmocka_unit_test_setup_teardown(narrower_limits_hold_from_the_next_tick_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
