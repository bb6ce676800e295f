/*
 * Who may hold a page: the plant that makes it, one client, one guardian, each by a lock on a byte of the file that ends
 * with the open file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "sim/plant.h"
#include "sim/plant_page.h"
#include "sim/plant_page_layout.h"

_Static_assert(PLANT_MAX_SITES + PLANT_MAX_PARAMETERS + 2 <= PLANT_MAX_CHANNELS, "outputs fit");

static int take_pending(struct plant_page *page, struct err *err)
{
	const size_t n_in = CELL_IN + page->facts.n_in, n_out = CELL_OUT + page->facts.n_out;

	page->pending = calloc(n_in > n_out ? n_in : n_out, sizeof(*page->pending));
	return page->pending ? 0 : err_set(err, JOSTLE_ENOMEM, "no memory for a plant's channels");
}

void plant_state_facts(struct plant_facts *facts, const struct plant_config *config, double period_s)
{
	*facts = (struct plant_facts){
		.n_in = (uint32_t)plant_n_in(config),
		.n_out = (uint32_t)plant_n_out(config),
		.n_sites = (uint32_t)config->n_sites,
		.n_parameters = (uint32_t)config->n_parameters,
		.pid = getpid(),
		.period_s = period_s,
		.monostable_s = config->monostable.timeout_s,
		.exclusive = config->exclusive,
	};
	snprintf(facts->name, sizeof(facts->name), "%s", config->name);
	for (size_t c = 0; c < facts->n_in; c++)
		facts->has_in[c] = plant_has_input(config, c);
	for (size_t c = 0; c < facts->n_out; c++)
		facts->has_out[c] = plant_has_output(config, c);
}

int plant_page_create(struct plant_page *page, const char *name, const struct plant_config *config, double period_s,
		      struct err *err)
{
	*page = (struct plant_page){0};
	plant_state_facts(&page->facts, config, period_s);
	int code = shared_page_make(&page->page, "plant", name, page_size(&page->facts), 1u << LOCK_PLANT, err);

	if (code < 0)
		return code;
	page->shared = page->page.memory;
	code = take_pending(page, err);
	if (code < 0) {
		plant_page_close(page);
		return code;
	}
	page->shared->version = PAGE_VERSION;
	page->shared->size = page->page.size;
	page->shared->facts = page->facts;
	atomic_store_explicit(&page->shared->ready, PAGE_MAGIC, memory_order_release);
	return 0;
}

/** Take the facts off the page once, and believe none that can't be. */
static int check_facts(struct plant_page *page, struct err *err)
{
	struct plant_facts *facts = &page->facts;

	if (page->shared->version != PAGE_VERSION)
		return err_set(err, JOSTLE_EVERSION, "shared memory %s: expected version %u, found %u", page->page.path,
			       PAGE_VERSION, page->shared->version);
	memcpy(facts, &page->shared->facts, sizeof(*facts));
	facts->name[sizeof(facts->name) - 1] = '\0';
	if (facts->n_sites < 1 || facts->n_sites > PLANT_MAX_SITES || facts->n_parameters > PLANT_MAX_PARAMETERS ||
	    facts->n_in != 2 * facts->n_sites + 1 || facts->n_out != facts->n_sites + facts->n_parameters + 2)
		return err_set(err, JOSTLE_EFORMAT,
			       "shared memory %s: found %u inputs and %u outputs for %u sites and %u parameters",
			       page->page.path, facts->n_in, facts->n_out, facts->n_sites, facts->n_parameters);
	if (page_size(facts) > page->page.size)
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: expected %zu bytes for its channels, found %zu",
			       page->page.path, page_size(facts), page->page.size);
	if (!(facts->period_s > 0.0 && facts->period_s <= 1e6))
		return err_set(err, JOSTLE_EFORMAT, "shared memory %s: period: found %g s", page->page.path,
			       facts->period_s);
	return 0;
}

/** Open the page of a running plant, whichever side of it one is to be. */
static int open_page(struct plant_page *page, const char *name, struct err *err)
{
	static const struct plant_facts most = {.n_in = PLANT_MAX_CHANNELS, .n_out = PLANT_MAX_CHANNELS};

	*page = (struct plant_page){0};
	int code = shared_page_join(&page->page, "plant", name, sizeof(struct plant_shared), page_size(&most), err);

	if (code == JOSTLE_ENOENT) {
		if (err)
			err->code = JOSTLE_ENODEV;
		return JOSTLE_ENODEV;
	}
	if (code < 0)
		return code;
	page->shared = page->page.memory;
	if (atomic_load_explicit(&page->shared->ready, memory_order_acquire) != PAGE_MAGIC)
		return err_set(err, JOSTLE_ENODEV, "the plant of shared memory %s is not ready", page->page.path);
	code = check_facts(page, err);
	return code < 0 ? code : take_pending(page, err);
}

/**
 * Take the outputs over from a guardian that is gone, as it left them: the volts of the client that died before it must
 * not come back. A guardian that died while it wrote leaves two sets of its own mixed, both on the way to safe.
 */
static void inherit_outputs(struct plant_page *page)
{
	if (!atomic_load_explicit(&page->shared->seized, memory_order_acquire))
		return;
	struct plant_shared *shared = page->shared;
	const size_t n = page->facts.n_out;
	const unsigned odd = shared_set_begin(&shared->out_sequence);

	plant_page_read_guard(page);
	shared_cell_store(&shared->cells[client_cells(&page->facts) + CELL_FOR], page->seen + 1);
	for (size_t c = 0; c < n; c++)
		shared_cell_store(&shared->cells[client_cells(&page->facts) + CELL_OUT + c], page->pending[c]);
	shared_set_end(&shared->out_sequence, odd);
	plant_page_let_go(page);
}

int plant_page_attach(struct plant_page *page, const char *name, struct err *err)
{
	int code = open_page(page, name, err);

	if (code == 0 && !shared_page_lock(&page->page, LOCK_CLIENT))
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d) has a client already", name,
			       page->facts.pid);
	/* One that is about to seize the outputs of the client before would seize this one's. */
	if (code == 0 && shared_page_is_locked(&page->page, LOCK_GUARD))
		code = err_set(err, JOSTLE_EBUSY,
			       "plant \"%s\" (process %d) has a guardian still, of a client that has ended", name,
			       page->facts.pid);
	if (code < 0) {
		plant_page_close(page);
		return code;
	}
	plant_page_skip(page);
	inherit_outputs(page);
	return 0;
}

int plant_page_guard(struct plant_page *page, const char *name, struct err *err)
{
	int code = open_page(page, name, err);

	if (code == 0 && page->facts.exclusive)
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d) can be opened only once", name,
			       page->facts.pid);
	if (code == 0 && !shared_page_lock(&page->page, LOCK_GUARD))
		code = err_set(err, JOSTLE_EBUSY, "plant \"%s\" (process %d) has a guardian already", name,
			       page->facts.pid);
	if (code < 0)
		plant_page_close(page);
	return code;
}

void plant_page_close(struct plant_page *page)
{
	if (page->page.maker && page->shared) {
		atomic_store_explicit(&page->shared->ready, 0, memory_order_release);
		atomic_fetch_add_explicit(&page->shared->edge_word, 1, memory_order_release);
		futex_wake(&page->shared->edge_word);
	}
	shared_page_close(&page->page);
	free(page->pending);
	page->pending = NULL;
	page->shared = NULL;
}
