/* Pages of shared memory: who may make, join and replace them. What crosses them is tested by those who use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/shared_page.h"

#define SIZE    4096
#define KEEPERS (1u << SHARED_PAGE_MAKER | 1u << 5)

static char name[32];

/* catches: names that leave the folder of shared memory, or are cut short */
static void names_that_can_not_be_are_refused(void **state)
{
	static const char *const names[] = {
		"",    "a/b", "../x",
		"a b", "a\n", "0123456789012345678901234567890123456789012345678901234567890123456789"};
	struct shared_page page;
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(shared_page_make(&page, "test", names[i], SIZE, KEEPERS, &err), JOSTLE_EINVAL);
		assert_int_equal(shared_page_join(&page, "test", names[i], 1, SIZE, &err), JOSTLE_EINVAL);
	}
}

/* catches: two makers of a page, a page joined after its maker has ended, memory that is not the same */
static void a_page_lives_as_long_as_its_maker(void **state)
{
	struct shared_page maker, other, joined;
	struct err err = {0};

	(void)state;
	assert_int_equal(shared_page_join(&joined, "test", name, 1, SIZE, &err), JOSTLE_ENOENT);
	assert_int_equal(shared_page_make(&maker, "test", name, SIZE, KEEPERS, &err), 0);
	assert_int_equal(shared_page_make(&other, "test", name, SIZE, KEEPERS, &err), JOSTLE_EBUSY);
	shared_page_close(&other); /* which is not the maker's: the name stays */
	assert_int_equal(shared_page_join(&joined, "test", name, 1, SIZE, &err), 0);
	assert_int_equal(joined.size, SIZE);
	*(int *)maker.memory = 42;
	assert_int_equal(*(int *)joined.memory, 42);
	assert_true(shared_page_is_locked(&joined, SHARED_PAGE_MAKER));
	shared_page_close(&maker);
	shared_page_close(&maker);
	assert_false(shared_page_is_locked(&joined, SHARED_PAGE_MAKER));
	shared_page_close(&joined);
	assert_int_equal(shared_page_join(&joined, "test", name, 1, SIZE, &err), JOSTLE_ENOENT);
}

/** A page whose maker has ended without a word. */
static void leave_a_dead_page(void)
{
	struct shared_page page;
	struct err err = {0};

	assert_int_equal(shared_page_make(&page, "test", name, SIZE, KEEPERS, &err), 0);
	page.maker = false; /* close() then does what the kernel does */
	shared_page_close(&page);
}

/* catches: a dead page replaced while another of its keepers lives, or never */
static void a_dead_page_is_replaced_when_no_keeper_is_left(void **state)
{
	struct shared_page maker, next, keeper;
	struct err err = {0};

	(void)state;
	assert_int_equal(shared_page_make(&maker, "test", name, SIZE, KEEPERS, &err), 0);
	assert_int_equal(shared_page_join(&keeper, "test", name, 1, SIZE, &err), 0);
	assert_true(shared_page_lock(&keeper, 5));
	maker.maker = false;
	shared_page_close(&maker);
	assert_int_equal(shared_page_make(&next, "test", name, SIZE, KEEPERS, &err), JOSTLE_EBUSY);
	shared_page_close(&keeper);
	assert_int_equal(shared_page_make(&next, "test", name, SIZE, KEEPERS, &err), 0);
	assert_int_equal(*(int *)next.memory, 0);
	shared_page_close(&next);
}

/* catches: a name taken away that belongs to another page by now */
static void a_page_that_lost_its_name_takes_no_other_away(void **state)
{
	struct shared_page old, joined, next;
	struct err err = {0};

	(void)state;
	assert_int_equal(shared_page_make(&old, "test", name, SIZE, KEEPERS, &err), 0);
	assert_int_equal(shared_page_join(&joined, "test", name, 1, SIZE, &err), 0);
	shared_page_close(&old);
	assert_int_equal(shared_page_make(&next, "test", name, SIZE, KEEPERS, &err), 0);
	shared_page_unlink(&joined);
	shared_page_close(&joined);
	assert_int_equal(shared_page_join(&joined, "test", name, 1, SIZE, &err), 0);
	shared_page_close(&joined);
	shared_page_close(&next);
}

/* catches: a page mapped whose file ends before what is read from it */
static void pages_of_no_possible_size_are_refused(void **state)
{
	struct shared_page maker, joined;
	struct err err = {0};

	(void)state;
	leave_a_dead_page();
	assert_int_equal(shared_page_make(&maker, "test", name, SIZE, KEEPERS, &err), 0);
	assert_int_equal(shared_page_join(&joined, "test", name, SIZE + 1, 2 * SIZE, &err), JOSTLE_EFORMAT);
	assert_int_equal(shared_page_join(&joined, "test", name, 1, SIZE - 1, &err), JOSTLE_EFORMAT);
	assert_int_equal(ftruncate(maker.fd, 0), 0);
	assert_int_equal(shared_page_join(&joined, "test", name, 1, SIZE, &err), JOSTLE_ENOENT);
	shared_page_close(&maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_can_not_be_are_refused),
		cmocka_unit_test(a_page_lives_as_long_as_its_maker),
		cmocka_unit_test(a_dead_page_is_replaced_when_no_keeper_is_left),
		cmocka_unit_test(a_page_that_lost_its_name_takes_no_other_away),
		cmocka_unit_test(pages_of_no_possible_size_are_refused),
	};

	snprintf(name, sizeof(name), "page-%d", getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
