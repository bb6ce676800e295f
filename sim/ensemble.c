#include "sim/ensemble.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/progress.h"
#include "protocols/bath.h"
#include "protocols/diffusion.h"
#include "protocols/network.h"
#include "protocols/protocol.h"
#include "sim/engine_kernels.h"

/* Steps that the threads run between two looks at the clock and the person. */
#define CHUNK_STEPS 16

/* Blocks that one piece of work holds. They take each step together, so that its couplings come to a core's cache once
   for all of them while their x stays there for all steps of a chunk: with 144 sites 84 kB and 4 times 18 kB. Few enough
   to share out evenly. */
#define PIECE_BLOCKS 4

int ensemble_init(struct ensemble *ensemble, size_t n_replicas, size_t n_variables, uint64_t seed,
		  uint32_t first_replica, struct err *err)
{
	*ensemble = (struct ensemble){
		.n_replicas = n_replicas,
		.n_blocks = (n_replicas + BLOCK_LANES - 1) / BLOCK_LANES,
		.n_variables = n_variables,
		.seed = seed,
		.first_replica = first_replica,
		.kernels = network_kernels_best(),
		.engine = engine_kernels_best(),
	};
	if (n_replicas == 0 || n_replicas > UINT32_MAX - first_replica || n_variables == 0)
		return err_set(err, JOSTLE_EINVAL, "expected 1 to %u replicas, found %zu", UINT32_MAX - first_replica,
			       n_replicas);
	const size_t n = ensemble->n_blocks * n_variables * BLOCK_LANES;
	ensemble->x = memory_floats(n);
	if (!ensemble->x)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu replicas of %zu variables", n_replicas,
			       n_variables);
	memset(ensemble->x, 0, n * sizeof(float));
	return 0;
}

void ensemble_fini(struct ensemble *ensemble)
{
	free(ensemble->x);
	ensemble->x = NULL;
}

static float *block_of(const struct ensemble *ensemble, size_t block)
{
	return ensemble->x + block * ensemble->n_variables * BLOCK_LANES;
}

static uint32_t first_replica_of(const struct ensemble *ensemble, size_t block)
{
	return ensemble->first_replica + (uint32_t)(block * BLOCK_LANES);
}

/** x = map x + amplitude normals, in every variable of every replica. */
struct linear_step {
	struct ensemble *ensemble;
	enum random_stream stream;
	uint64_t step;
	float map, amplitude;
	float *scratch; /* [threads][variables rounded up to four][lane] */
};

static void linear_piece(void *context, size_t block, size_t thread)
{
	const struct linear_step *s = context;
	const size_t n = s->ensemble->n_variables;
	float *x = block_of(s->ensemble, block);
	float *noise = s->scratch + thread * memory_round_up(n, 4) * BLOCK_LANES;

	s->ensemble->engine->normals(s->ensemble->seed, s->stream, first_replica_of(s->ensemble, block), s->step, n,
				     noise);
	for (size_t i = 0; i < n * BLOCK_LANES; i++)
		x[i] = s->map * x[i] + s->amplitude * noise[i];
}

static int run_linear(struct linear_step *step, struct pool *pool, struct err *err)
{
	const size_t n = step->ensemble->n_variables;

	step->scratch = memory_floats(pool_n_threads(pool) * memory_round_up(n, 4) * BLOCK_LANES);
	if (!step->scratch)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the noise of %zu variables", n);
	pool_run(pool, step->ensemble->n_blocks, linear_piece, step);
	free(step->scratch);
	return 0;
}

int ensemble_draw_prior(struct ensemble *ensemble, const struct bath *bath, struct pool *pool, struct err *err)
{
	double covariance[BATH_DIMENSION][BATH_DIMENSION];

	bath->type->stationary(bath, covariance);
	struct linear_step step = {
		.ensemble = ensemble, .stream = RANDOM_PRIOR, .amplitude = (float)sqrt(covariance[0][0])};
	return run_linear(&step, pool, err);
}

int ensemble_noise(struct ensemble *ensemble, const struct bath *bath, double time, uint64_t number, struct pool *pool,
		   struct err *err)
{
	struct bath_law law;

	bath->type->transition(bath, time, &law);
	struct linear_step step = {.ensemble = ensemble,
				   .stream = RANDOM_NOISING,
				   .step = number,
				   .map = (float)law.map[0][0],
				   .amplitude = (float)sqrt(law.covariance[0][0])};
	return run_linear(&step, pool, err);
}

/** A few consecutive steps of a generation, with theta packed for each. */
struct chunk {
	struct ensemble *ensemble;
	const struct network *network;
	size_t first_step, n_steps;
	size_t packed_size;
	float *packed;    /* [CHUNK_STEPS][packed_size] */
	float *advance;   /* [CHUNK_STEPS][n_variables] */
	float *amplitude; /* [CHUNK_STEPS][n_variables] */
	float *force;     /* [threads][variable][lane] */
	const struct protocol *protocol;
	const double *t; /* of the grid */
	double *theta;   /* [threads][n_parameters] */
};

static void generate_piece(void *context, size_t piece, size_t thread)
{
	const struct chunk *chunk = context;
	struct ensemble *ensemble = chunk->ensemble;
	const size_t n = ensemble->n_variables;
	float *force = chunk->force + thread * n * BLOCK_LANES;
	const size_t first = piece * PIECE_BLOCKS;
	const size_t rest = ensemble->n_blocks - first;
	const size_t last = first + (rest < PIECE_BLOCKS ? rest : PIECE_BLOCKS);

	for (size_t s = 0; s < chunk->n_steps; s++)
		for (size_t block = first; block < last; block++) {
			float *x = block_of(ensemble, block);

			ensemble->kernels->force(chunk->network, chunk->packed + s * chunk->packed_size, x, force);
			ensemble->engine->kick(ensemble->seed, RANDOM_BATH, first_replica_of(ensemble, block),
					       chunk->first_step + s, n, chunk->advance + s * n,
					       chunk->amplitude + s * n, force, x);
		}
}

/** theta at the start of a step, and the Euler–Maruyama factors mu dtau and sqrt(2 mu T dtau) of each variable. */
static void prepare_step(void *context, size_t s, size_t thread)
{
	const struct chunk *chunk = context;
	const struct network *network = chunk->network;
	const double now = chunk->t[chunk->first_step + s], advance = now - chunk->t[chunk->first_step + s + 1];
	double *theta = chunk->theta + thread * network->n_parameters;
	struct wall wall;

	protocol_at(chunk->protocol, now, theta, &wall);
	chunk->ensemble->kernels->pack(network, theta, &wall, chunk->packed + s * chunk->packed_size);
	for (size_t v = 0; v < network->n_variables; v++) {
		const struct variable *variable = &network->variables[v];

		chunk->advance[s * network->n_variables + v] = (float)(variable->mobility * advance);
		chunk->amplitude[s * network->n_variables + v] =
			(float)sqrt(2.0 * variable->mobility * variable->temperature * advance);
	}
}

int ensemble_generate(struct ensemble *ensemble, const struct protocol *protocol, double step, struct pool *pool,
		      struct progress *progress, struct err *err)
{
	const struct network *network = &protocol->network;
	const size_t n = ensemble->n_variables;
	const size_t t_count = protocol->n_knots;
	double *t = NULL;
	size_t n_steps = 0;
	struct chunk chunk = {.ensemble = ensemble, .network = network, .protocol = protocol};
	int status;

	if (n != network->n_variables)
		return err_set(err, JOSTLE_EINVAL, "expected replicas of %zu variables, found %zu",
			       network->n_variables, n);
	status = diffusion_grid(protocol->t[t_count - 1], protocol->t[0], step, &t, &n_steps);
	if (status)
		return err_set(err, status, "no time grid from t = %g to %g with step %g", protocol->t[t_count - 1],
			       protocol->t[0], step);
	chunk.t = t;
	chunk.packed_size = memory_round_up(ensemble->kernels->packed_size(network), 16);
	chunk.packed = memory_floats(CHUNK_STEPS * chunk.packed_size);
	chunk.advance = memory_floats(CHUNK_STEPS * n);
	chunk.amplitude = memory_floats(CHUNK_STEPS * n);
	chunk.force = memory_floats(pool_n_threads(pool) * n * BLOCK_LANES);
	chunk.theta = malloc(pool_n_threads(pool) * network->n_parameters * sizeof(*chunk.theta));
	if (!chunk.packed || !chunk.advance || !chunk.amplitude || !chunk.force || !chunk.theta) {
		status =
			err_set(err, JOSTLE_ENOMEM, "no memory to generate with %zu parameters", network->n_parameters);
		goto done;
	}
	for (size_t done = 0; done < n_steps; done += chunk.n_steps) {
		chunk.first_step = done;
		chunk.n_steps = n_steps - done < CHUNK_STEPS ? n_steps - done : CHUNK_STEPS;
		pool_run(pool, chunk.n_steps, prepare_step, &chunk);
		pool_run(pool, (ensemble->n_blocks + PIECE_BLOCKS - 1) / PIECE_BLOCKS, generate_piece, &chunk);
		if (progress)
			progress_update(progress, (double)(done + chunk.n_steps) / (double)n_steps * progress->total,
					NULL);
		if (interrupt_asked()) {
			status = err_set(err, JOSTLE_EINTR, "interrupted after %zu of %zu steps", done + chunk.n_steps,
					 n_steps);
			break;
		}
	}
done:
	free(t);
	free(chunk.theta);
	free(chunk.packed);
	free(chunk.advance);
	free(chunk.amplitude);
	free(chunk.force);
	return status;
}

struct force_job {
	const struct ensemble *ensemble;
	const struct network *network;
	const float *packed;
	float *f;
};

static void force_piece(void *context, size_t block, size_t thread)
{
	const struct force_job *job = context;

	(void)thread;
	job->ensemble->kernels->force(job->network, job->packed, block_of(job->ensemble, block),
				      job->f + block * job->ensemble->n_variables * BLOCK_LANES);
}

int ensemble_force(const struct ensemble *ensemble, const struct protocol *protocol, double t, float f[],
		   struct pool *pool, struct err *err)
{
	const struct network *network = &protocol->network;
	double *theta = malloc(network->n_parameters * sizeof(*theta));
	float *packed = memory_floats(ensemble->kernels->packed_size(network));
	struct wall wall;
	int status = 0;

	if (!theta || !packed) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for %zu parameters", network->n_parameters);
		goto done;
	}
	protocol_at(protocol, t, theta, &wall);
	ensemble->kernels->pack(network, theta, &wall, packed);
	struct force_job job = {.ensemble = ensemble, .network = network, .packed = packed, .f = f};
	pool_run(pool, ensemble->n_blocks, force_piece, &job);
done:
	free(theta);
	free(packed);
	return status;
}

int ensemble_read_out(const struct ensemble *ensemble, const struct protocol *protocol, float samples[],
		      size_t *n_diverged, struct pool *pool, struct err *err)
{
	const size_t n_sites = protocol->network.n_sites, n = ensemble->n_variables;
	const double t = protocol->t[0], limit = 1.25 * protocol->wall[0].position;
	float *f = memory_floats(ensemble->n_blocks * n * BLOCK_LANES);
	int status;

	if (!f)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the forces of %zu replicas", ensemble->n_replicas);
	status = ensemble_force(ensemble, protocol, t, f, pool, err);
	if (status)
		goto done;
	*n_diverged = 0;
	for (size_t r = 0; r < ensemble->n_replicas; r++) {
		bool diverged = false;

		for (size_t i = 0; i < n_sites; i++) {
			const size_t at = (r / BLOCK_LANES * n + i) * BLOCK_LANES + r % BLOCK_LANES;
			const double x = ensemble->x[at];

			samples[r * n_sites + i] = (float)diffusion_readout(x, f[at], t, protocol->readout_weight);
			diverged |= !(fabs(x) <= limit);
		}
		*n_diverged += diverged ? 1 : 0;
	}
done:
	free(f);
	return status;
}
