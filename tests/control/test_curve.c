/* Keys, the list of clients, and where a bench may listen. */
#include "base/scratch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <zmq.h>

#include "base/err.h"
#include "control/curve.h"
#include "control/endpoint.h"

static struct err err;

static const char *prefix(struct scratch *scratch, const char *name)
{
	return scratch_path(scratch, name);
}

static char *slurp(const char *path)
{
	char *text = calloc(1, 4096);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, 4095, file) > 0);
	fclose(file);
	return text;
}

/* catches: files that others may read, a pair whose halves don't belong together, keys overwritten */
static void a_pair_of_keys_fits_and_is_never_overwritten(void **state)
{
	struct scratch *scratch = *state;
	const char *at = prefix(scratch, "anna"), *key = scratch_path(scratch, "anna.key"),
		   *pub = scratch_path(scratch, "anna.pub");
	uint8_t secret[CURVE_KEY_BYTES];
	char secret_text[CURVE_KEY_TEXT], public_text[CURVE_KEY_TEXT];
	struct curve_list list;
	struct stat status;

	assert_int_equal(curve_make("anna", at, &err), 0);
	assert_int_equal(stat(key, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(curve_load_secret(secret, key, &err), 0);
	zmq_z85_encode(secret_text, secret, sizeof(secret));
	assert_int_equal(zmq_curve_public(public_text, secret_text), 0);
	char *line = slurp(pub);

	assert_contains(line, public_text);
	assert_null(strstr(line, secret_text));
	free(line);
	assert_int_equal(curve_list_load(&list, pub, &err), 0);
	assert_int_equal(list.n, 1);
	uint8_t public_key[CURVE_KEY_BYTES];

	zmq_z85_decode(public_key, public_text);
	assert_string_equal(curve_list_find(&list, public_key, sizeof(public_key)), "anna");
	assert_null(curve_list_find(&list, secret, sizeof(secret)));
	assert_null(curve_list_find(&list, public_key, sizeof(public_key) - 1));
	curve_list_fini(&list);

	assert_int_equal(curve_make("anna", at, &err), JOSTLE_EIO);
	assert_int_equal(unlink(key), 0);
	/* The public half is there yet: nothing is made, and no half is left. */
	assert_int_equal(curve_make("anna", at, &err), JOSTLE_EIO);
	assert_int_equal(access(key, F_OK), -1);
	assert_int_equal(curve_make("an na", prefix(scratch, "x"), &err), JOSTLE_EINVAL);
	assert_int_equal(curve_make("", prefix(scratch, "x"), &err), JOSTLE_EINVAL);
	assert_int_equal(access(scratch_path(scratch, "x.pub"), F_OK), -1);
}

/* catches: a secret key taken that everybody can read, or from a file that holds something else */
static void a_secret_key_is_its_owners_alone(void **state)
{
	struct scratch *scratch = *state;
	uint8_t key[CURVE_KEY_BYTES];

	assert_int_equal(curve_make("bench", prefix(scratch, "bench"), &err), 0);
	const char *path = scratch_path(scratch, "bench.key");

	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(curve_load_secret(key, path, &err), JOSTLE_EINVAL);
	assert_contains(err.text, "chmod 600");
	path = scratch_path(scratch, "bench.pub");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(curve_load_secret(key, path, &err), JOSTLE_EFORMAT);
	assert_int_equal(err.line, 1);
	path = scratch_write(scratch, "empty", "# nothing\n\n", 11);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(curve_load_secret(key, path, &err), JOSTLE_EFORMAT);
	assert_int_equal(curve_load_secret(key, scratch_path(scratch, "absent"), &err), JOSTLE_ENOENT);
}

#define KEY_A "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_B "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

/* catches: a line passed over that is not understood, the same key under two names, a secret handed round */
static void a_list_of_clients_is_taken_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *text;
		int code, line;
	} cases[] = {
		{"# ours\n\nanna  " KEY_A "\n\tbert\t" KEY_B "\r\n", 0, 0},
		{"anna " KEY_A "\nbert " KEY_A "\n", JOSTLE_EFORMAT, 2},
		{"anna " KEY_A "\nanna " KEY_B "\n", JOSTLE_EFORMAT, 2},
		{"anna secret " KEY_A "\n", JOSTLE_EFORMAT, 1},
		{"\nanna " KEY_A "x\n", JOSTLE_EFORMAT, 2},
		{"anna short\n", JOSTLE_EFORMAT, 1},
		{"anna\n", JOSTLE_EFORMAT, 1},
		{"an!na " KEY_A "\n", JOSTLE_EFORMAT, 1},
		{"anna " KEY_A " " KEY_B " " KEY_A " " KEY_B " more\n", JOSTLE_EFORMAT, 1},
		{"anna rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y~7\n", JOSTLE_EFORMAT, 1},
		{"", JOSTLE_EFORMAT, 0},
	};
	struct scratch *scratch = *state;
	struct curve_list list;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = scratch_write(scratch, "allow", cases[i].text, strlen(cases[i].text));

		memset(&err, 0, sizeof(err));
		if (curve_list_load(&list, path, &err) != cases[i].code || err.line != cases[i].line)
			fail_msg("case %zu: %s, line %d", i, err.text, err.line);
		if (cases[i].code == 0)
			assert_int_equal(list.n, 2);
		curve_list_fini(&list);
	}
}

/* catches: an address of the network taken for one of this machine, names and interfaces let through */
static void an_endpoint_is_local_or_not_by_its_number(void **state)
{
	static const struct {
		const char *endpoint;
		int code;
		bool local;
	} cases[] = {
		{"tcp://127.0.0.1:7450", 0, true},
		{"tcp://127.8.8.8:*", 0, true},
		{"tcp://[::1]:7450", 0, true},
		{"ipc:///run/jostle/a", 0, true},
		{"ipc://@jostle", JOSTLE_EINVAL, false},
		{"tcp://128.0.0.1:7450", 0, false},
		{"tcp://0.0.0.0:7450", 0, false},
		{"tcp://[::]:7450", 0, false},
		{"tcp://[::ffff:127.0.0.1]:7450", 0, false},
		{"tcp://*:7450", 0, false},
		{"tcp://localhost:7450", JOSTLE_EINVAL, false},
		{"tcp://127.0.0.1.example.org:7450", JOSTLE_EINVAL, false},
		{"tcp://127.1:7450", JOSTLE_EINVAL, false},
		{"tcp://lo:7450", JOSTLE_EINVAL, false},
		{"tcp://127.0.0.1:123456", JOSTLE_EINVAL, false},
		{"tcp://127.0.0.1:65536", JOSTLE_EINVAL, false},
		{"tcp://127.0.0.1:http", JOSTLE_EINVAL, false},
		{"tcp://127.0.0.1", JOSTLE_EINVAL, false},
		{"tcp://10.0.0.1:1;127.0.0.1:2", JOSTLE_EINVAL, false},
		{"ipc://", JOSTLE_EINVAL, false},
		{"ipc://*", JOSTLE_EINVAL, false},
		{"inproc://a", JOSTLE_EINVAL, false},
		{"epgm://eth0;239.1.1.1:5555", JOSTLE_EINVAL, false},
		{"", JOSTLE_EINVAL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool local = false;

		if (endpoint_check(cases[i].endpoint, &local, &err) != cases[i].code ||
		    (cases[i].code == 0 && local != cases[i].local))
			fail_msg("%s: local %d", cases[i].endpoint, local);
	}
}

/* catches: a second process that takes a path away from the first, or a file removed that is no socket */
static void a_path_in_use_is_not_taken_away(void **state)
{
	struct scratch *scratch = *state;
	char endpoint[128], bound[128];
	void *context = zmq_ctx_new(), *first = zmq_socket(context, ZMQ_PUB), *second = zmq_socket(context, ZMQ_PUB);
	const char *file = scratch_write(scratch, "file", "x", 1);

	snprintf(endpoint, sizeof(endpoint), "ipc://%s", scratch_path(scratch, "socket"));
	assert_int_equal(endpoint_bind(first, endpoint, bound, sizeof(bound), &err), 0);
	assert_string_equal(bound, endpoint);
	assert_int_equal(endpoint_bind(second, endpoint, bound, sizeof(bound), &err), JOSTLE_EBUSY);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", file);
	assert_int_equal(endpoint_bind(second, endpoint, bound, sizeof(bound), &err), JOSTLE_EBUSY);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(endpoint_bind(second, "tcp://127.0.0.1:*", bound, sizeof(bound), &err), 0);
	assert_null(strchr(bound, '*'));
	void *third = zmq_socket(context, ZMQ_PUB);

	assert_int_equal(endpoint_bind(third, bound, endpoint, sizeof(endpoint), &err), JOSTLE_EBUSY);
	zmq_close(first);
	zmq_close(second);
	zmq_close(third);
	zmq_ctx_term(context);
	/* What a process that died left behind is no hindrance. */
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = scratch_path(scratch, "left");
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	context = zmq_ctx_new();
	first = zmq_socket(context, ZMQ_PUB);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	assert_int_equal(endpoint_bind(first, endpoint, bound, sizeof(bound), &err), 0);
	zmq_close(first);
	zmq_ctx_term(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pair_of_keys_fits_and_is_never_overwritten, scratch_new,
						scratch_free),
		cmocka_unit_test_setup_teardown(a_secret_key_is_its_owners_alone, scratch_new, scratch_free),
		cmocka_unit_test_setup_teardown(a_list_of_clients_is_taken_whole_or_not_at_all, scratch_new,
						scratch_free),
		cmocka_unit_test(an_endpoint_is_local_or_not_by_its_number),
		cmocka_unit_test_setup_teardown(a_path_in_use_is_not_taken_away, scratch_new, scratch_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
