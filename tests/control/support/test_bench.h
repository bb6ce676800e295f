#ifndef JOSTLE_TEST_BENCH_H
#define JOSTLE_TEST_BENCH_H
/*
 * A bench of two sites, made by hand, behind a driver that obeys a script and records every voltage it is sent.
 *
 * Inputs    0 displacement of site 1, 1 displacement of site 0, 2 force on site 0, 3 auxiliary
 * Outputs   feedback: 0 force on site 1, 1 force on site 0, 2 auxiliary; parametric: as test_bench_parametric() is told
 *
 * Channels are out of order and gains differ in size and sign on purpose. One executable has one bench: the script and
 * the record are global. The file also defines driver_registry, with this driver as its only row.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "daq/bench.h"
#include "daq/daq.h"
#include "protocols/calibration_record.h"
#include "protocols/protocol.h"

#define TEST_PERIOD_S 1e-4
#define TEST_STEP     0.01 /* the same in relaxation times */
#define TEST_SITES    2
#define TEST_MAX_OUT  16
#define TEST_MAX_LOG  40000 /* exchanges that are recorded */
#define TEST_NEVER    UINT64_MAX

/** What the driver is to do; exchanges are counted from 0. */
struct test_script {
	bool simulated;
	enum daq_last_resort last_resort;
	bool noisy;                 /* thermal noise; else the motion is deterministic */
	double x0[TEST_SITES];      /* where the sites stand at start, natural units */
	uint64_t nan_at, fail_at;   /* one input is NaN; the exchange fails */
	uint64_t freeze_at;         /* the inputs repeat from here on */
	uint64_t stand_at;          /* the clock stands still at this one */
	uint64_t jump_at;           /* site 0 is thrown to x = 1e3 */
	uint64_t miss_at, n_missed; /* n_missed slots pass before this exchange; with 0, only its write is late */
	uint64_t interrupt_at;      /* SIGINT is raised */
	int64_t wake_ns;            /* the wait for an edge ends so long after it; 0: nobody waits */
	bool start_fails, stop_fails;
	void (*before)(struct daq *daq); /* called first in each exchange, when set */
	void (*after)(struct daq *daq);  /* called last */
};

/** What it saw. */
struct test_record {
	uint64_t n_opens, n_exchanges, n_starts, n_stops, n_closes;
	bool safe;                                /* the outputs stand at safe_V, by start() or stop() */
	double out_V[TEST_MAX_LOG][TEST_MAX_OUT]; /* as handed to exchange n */
	double x[TEST_MAX_LOG][TEST_SITES];       /* natural, at edge n */
	int64_t t_ns[TEST_MAX_LOG];
};

extern struct test_script test_script;
extern struct test_record test_record;
extern const struct daq_driver test_driver;

/** Forget the record, and a script that does nothing unusual: simulated, deterministic, x0 = {0.5, -0.25}. */
void test_script_reset(void);

/** The feedback bench. Nothing to free; the next call of either makes it anew. */
struct bench *test_bench_feedback(void);

/** Give the feedback bench that is in use a slew limit on its forces, which hardware must have. */
void test_bench_give_slew(double V_per_s);

/** The parametric bench with these terms, output k being parameter order[k]. */
struct bench *test_bench_parametric(char **terms, size_t n_terms, const size_t order[], size_t n_parameters);

/** Open the bench with daq_open() and build its nominal record. Fails the test on error. */
void test_bench_open(struct daq *daq, struct calibration_record *record, const struct bench *bench, bool paced);

/**
 * A protocol on 2 × 1 sites, knots at t = 0.01, 1, 4. theta_k at knot j is (1 + j) theta[k]; the wall stands at 50.
 * The caller ends it with protocol_fini(). Fails the test on error.
 */
void test_protocol(struct protocol *protocol, const char *const specs[], size_t n_specs, const double theta[]);

/** Units of the bench: displacement and force in volts to natural units, by hand. */
double test_volts_of_force(const struct bench *bench, size_t output, double natural);
double test_force_of_volts(const struct bench *bench, size_t output, double volts);

#endif
