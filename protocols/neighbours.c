#include "protocols/neighbours.h"

#include <stdlib.h>

#include "base/err.h"

int neighbours_init(struct neighbours *neighbours, const struct pairs *pairs, size_t n_sites, enum neighbour_side side,
		    struct err *err)
{
	const size_t both = side == NEIGHBOUR_OF_EITHER ? 2 : 1;

	*neighbours = (struct neighbours){
		.n_sites = n_sites,
		.first = calloc(n_sites + 2, sizeof(*neighbours->first)),
		.list = malloc(both * pairs->n * sizeof(*neighbours->list)),
		.in_order = true,
	};
	if (!neighbours->first || !neighbours->list)
		return err_set(err, JOSTLE_ENOMEM, "no memory for the neighbours of %zu sites", n_sites);

	/* Count, sum up, fill. While filling, first[i + 1] is where the next neighbour of i goes; at the end that is where
	   i + 1 begins. */
	size_t *first = neighbours->first;

	for (size_t k = 0; k < pairs->n; k++) {
		if (side & NEIGHBOUR_OF_FIRST)
			first[pairs->pair[k].i + 2]++;
		if (side & NEIGHBOUR_OF_SECOND)
			first[pairs->pair[k].j + 2]++;
	}
	for (size_t i = 0; i < n_sites; i++)
		first[i + 2] += first[i + 1];
	for (size_t k = 0; k < pairs->n; k++) {
		const struct pair pair = pairs->pair[k];

		if (side & NEIGHBOUR_OF_FIRST)
			neighbours->list[first[pair.i + 1]++] = (struct neighbour){pair.j, (unsigned)k};
		if (side & NEIGHBOUR_OF_SECOND)
			neighbours->list[first[pair.j + 1]++] = (struct neighbour){pair.i, (unsigned)k};
	}
	for (size_t e = 0; e < both * pairs->n; e++)
		neighbours->in_order &= neighbours->list[e].parameter == e;
	return 0;
}

void neighbours_fini(struct neighbours *neighbours)
{
	free(neighbours->list);
	free(neighbours->first);
	*neighbours = (struct neighbours){0};
}

/** A site's list while it is walked. */
struct walk {
	const struct neighbour *at, *end;
};

static struct walk walk_of(const struct neighbours *neighbours, size_t i)
{
	if (i >= neighbours->n_sites)
		return (struct walk){NULL, NULL};
	return (struct walk){neighbours->list + neighbours->first[i], neighbours->list + neighbours->first[i + 1]};
}

static unsigned add(struct twins *twins, const struct neighbour *neighbour, unsigned end)
{
	twins->site[end] = (uint16_t)neighbour->site;
	twins->parameter[end] = neighbour->parameter;
	return end + 1;
}

/** Append the neighbours that both walks meet, each twice; returns the new end. */
static unsigned add_shared(struct twins *twins, struct walk a, struct walk b, unsigned end)
{
	while (a.at < a.end && b.at < b.end) {
		const unsigned site_a = a.at->site, site_b = b.at->site;

		if (site_a == site_b) {
			end = add(twins, a.at, end);
			end = add(twins, b.at, end);
		}
		a.at += site_a <= site_b;
		b.at += site_b <= site_a;
	}
	return end;
}

/** Append the neighbours that a meets and b doesn't. */
static unsigned add_alone(struct twins *twins, struct walk a, struct walk b, unsigned end)
{
	for (; a.at < a.end; a.at++) {
		while (b.at < b.end && b.at->site < a.at->site)
			b.at++;
		if (b.at == b.end || b.at->site != a.at->site)
			end = add(twins, a.at, end);
	}
	return end;
}

int twins_init(struct twins *twins, const struct pairs *pairs, size_t n_sites, enum neighbour_side side,
	       struct err *err)
{
	const size_t n_twins = (n_sites + 1) / 2;
	struct neighbours neighbours;
	unsigned end = 0;
	int status = neighbours_init(&neighbours, pairs, n_sites, side, err);

	*twins = (struct twins){.n_sites = n_sites};
	if (status)
		goto done;
	twins->n_entries = neighbours.first[n_sites];
	twins->twin = malloc((n_twins + 1) * sizeof(*twins->twin));
	twins->site = malloc(twins->n_entries * sizeof(*twins->site));
	twins->parameter = malloc(twins->n_entries * sizeof(*twins->parameter));
	if (!twins->twin || !twins->site || !twins->parameter) {
		status = err_set(err, JOSTLE_ENOMEM, "no memory for the neighbours of %zu sites", n_sites);
		goto done;
	}
	for (size_t m = 0; m < n_twins; m++) {
		const struct walk left = walk_of(&neighbours, 2 * m), right = walk_of(&neighbours, 2 * m + 1);

		twins->twin[m].shared = end;
		twins->twin[m].left = end = add_shared(twins, left, right, end);
		twins->twin[m].right = end = add_alone(twins, left, right, end);
		end = add_alone(twins, right, left, end);
	}
	twins->twin[n_twins] = (struct twin){end, end, end};
done:
	neighbours_fini(&neighbours);
	return status;
}

void twins_fini(struct twins *twins)
{
	free(twins->parameter);
	free(twins->site);
	free(twins->twin);
	*twins = (struct twins){0};
}
