/* Commands, field by field: nothing but a whole and sensible command is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/err.h"
#include "base/random.h"
#include "control/messages.h"

static struct wire_writer writer;
static struct err err;

/** Begin a command of this name. */
static void begin(const char *command)
{
	wire_clear(&writer);
	wire_map(&writer);
	wire_put_whole(&writer, "v", MESSAGE_VERSION);
	wire_put_whole(&writer, "id", 77);
	wire_put_text(&writer, "command", command);
}

static int decode(struct message *message)
{
	unsigned char *copy = malloc(writer.bytes.size ? writer.bytes.size : 1);
	int code;

	/* Exactly as large as the message, so that a sanitizer sees a byte too many. */
	memcpy(copy, writer.bytes.data, writer.bytes.size);
	memset(&err, 0, sizeof(err));
	code = message_decode(message, copy, writer.bytes.size, &err);
	free(copy);
	return code;
}

static void assert_refused(int code, const char *word)
{
	struct message message;

	wire_end(&writer);
	assert_int_equal(decode(&message), code);
	if (!strstr(err.text, word))
		fail_msg("expected \"%s\" in \"%s\"", word, err.text);
	assert_true(message.has_id);
	assert_int_equal(message.id, 77);
}

static void assert_taken(struct message *message, enum message_kind kind)
{
	wire_end(&writer);
	if (decode(message))
		fail_msg("%s", err.text);
	assert_int_equal(message->kind, kind);
	assert_int_equal(message->id, 77);
}

/* catches: a command without a row, a name that is another's */
static void every_command_without_fields_is_taken_by_its_name(void **state)
{
	static const enum message_kind bare[] = {
		MESSAGE_PING, MESSAGE_STATUS, MESSAGE_SNAPSHOT,      MESSAGE_RESET,  MESSAGE_ARM,
		MESSAGE_RUN,  MESSAGE_STOP,   MESSAGE_STOP_SAMPLING, MESSAGE_DOCTOR, MESSAGE_SHUTDOWN};
	struct message message;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		begin(message_name(bare[i]));
		assert_taken(&message, bare[i]);
		message_format(&message, text, sizeof(text));
		assert_string_equal(text, message_name(bare[i]));
		begin(message_name(bare[i]));
		wire_put_whole(&writer, "n", 3);
		assert_refused(JOSTLE_EINVAL, "n: ");
	}
}

/* catches: a field stored in another's place, a whole number refused where a number is asked for, a default left out */
static void fields_arrive_where_they_belong(void **state)
{
	struct message message;
	char text[256];

	(void)state;
	begin("load-protocol");
	wire_put_text(&writer, "path", "runs/p.h5");
	assert_taken(&message, MESSAGE_LOAD_PROTOCOL);
	assert_string_equal(message.path, "runs/p.h5");

	begin("sample");
	wire_put_whole(&writer, "n", 12);
	assert_taken(&message, MESSAGE_SAMPLE);
	assert_int_equal(message.n, 12);
	assert_true(message.relax == MESSAGE_RELAX && isnan(message.t_final));

	begin("sample");
	wire_put_real(&writer, "t_final", 1.25);
	wire_put_whole(&writer, "relax", 6);
	wire_put_whole(&writer, "n", 1);
	assert_taken(&message, MESSAGE_SAMPLE);
	assert_true(message.relax == 6 && message.t_final == 1.25);

	begin("manual");
	wire_put_whole(&writer, "output", 3);
	wire_put_signed(&writer, "volts", -2);
	assert_taken(&message, MESSAGE_MANUAL);
	assert_true(message.output == 3 && message.volts == -2);
	message_format(&message, text, sizeof(text));
	assert_string_equal(text, "manual output=3 volts=-2");

	begin("instrument");
	wire_put_text(&writer, "set", "amplitude");
	wire_put_whole(&writer, "value", 2);
	wire_put_text(&writer, "name", "noise");
	assert_taken(&message, MESSAGE_INSTRUMENT);
	assert_string_equal(message.name, "noise");
	assert_string_equal(message.set, "amplitude");
	assert_true(message.value == 2);
	message_format(&message, text, sizeof(text));
	assert_string_equal(text, "instrument name=noise set=amplitude value=2");

	begin("manual");
	wire_put_whole(&writer, "output", 3);
	wire_put_text(&writer, "volts", NULL);
	assert_taken(&message, MESSAGE_MANUAL);
	assert_true(isnan(message.volts));

	begin("limits");
	wire_put_whole(&writer, "output", 1);
	wire_put_real(&writer, "min_V", -0.5);
	wire_put_real(&writer, "max_V", 0.25);
	assert_taken(&message, MESSAGE_LIMITS);
	assert_true(message.output == 1 && message.min_V == -0.5 && message.max_V == 0.25 && message.slew_V_per_s == 0);

	begin("record");
	wire_put_flag(&writer, "on", true);
	assert_taken(&message, MESSAGE_RECORD);
	assert_true(message.on);
}

/* catches: a missing check, one by one: type, range, presence, a second of the same name, numbers that are none */
static void what_is_wrong_with_a_field_is_said_by_its_name(void **state)
{
	char path[MESSAGE_MAX_PATH + 1];

	(void)state;
	begin("load-protocol");
	assert_refused(JOSTLE_EINVAL, "path: ");
	begin("load-protocol");
	wire_put_whole(&writer, "path", 3);
	assert_refused(JOSTLE_EINVAL, "path: expected a text, found a whole number");
	begin("load-protocol");
	memset(path, 'p', MESSAGE_MAX_PATH);
	path[MESSAGE_MAX_PATH] = '\0';
	wire_put_text(&writer, "path", path);
	assert_refused(JOSTLE_EINVAL, "path: ");
	begin("load-protocol");
	wire_put_text(&writer, "path", "");
	assert_refused(JOSTLE_EINVAL, "path: ");
	begin("load-protocol");
	wire_put_text(&writer, "path", "a\nb");
	assert_refused(JOSTLE_EINVAL, "path: ");
	begin("sample");
	wire_put_whole(&writer, "n", 0);
	assert_refused(JOSTLE_EINVAL, "n: ");
	begin("sample");
	wire_put_whole(&writer, "n", UINT64_MAX);
	assert_refused(JOSTLE_EINVAL, "n: ");
	begin("sample");
	wire_put_real(&writer, "n", 4.5);
	assert_refused(JOSTLE_EINVAL, "n: expected a whole number");
	begin("sample");
	wire_put_whole(&writer, "n", 4);
	wire_put_real(&writer, "relax", 3.999);
	assert_refused(JOSTLE_EINVAL, "relax: ");
	begin("sample");
	wire_put_whole(&writer, "n", 4);
	wire_put_real(&writer, "t_final", NAN);
	assert_refused(JOSTLE_EINVAL, "t_final: ");
	begin("manual");
	wire_put_whole(&writer, "output", 0);
	assert_refused(JOSTLE_EINVAL, "volts: ");
	begin("manual");
	wire_put_signed(&writer, "output", -1);
	wire_put_whole(&writer, "volts", 1);
	assert_refused(JOSTLE_EINVAL, "output: ");
	begin("manual");
	wire_put_whole(&writer, "output", 0);
	wire_put_real(&writer, "volts", INFINITY);
	assert_refused(JOSTLE_EINVAL, "volts: ");
	begin("manual");
	wire_put_whole(&writer, "output", 0);
	wire_put_real(&writer, "volts", 1);
	wire_put_real(&writer, "volts", 2);
	assert_refused(JOSTLE_EINVAL, "volts: ");
	begin("limits");
	wire_put_whole(&writer, "output", 0);
	wire_put_real(&writer, "min_V", 1);
	wire_put_real(&writer, "max_V", -1);
	assert_refused(JOSTLE_EINVAL, "min_V: ");
	begin("record");
	wire_put_whole(&writer, "on", 1);
	assert_refused(JOSTLE_EINVAL, "on: ");
	begin("instrument");
	wire_put_text(&writer, "name", "noise");
	wire_put_real(&writer, "value", 1);
	assert_refused(JOSTLE_EINVAL, "set: ");
	begin("instrument");
	wire_put_text(&writer, "name", "a-name-of-thirty-two-characters-");
	wire_put_text(&writer, "set", "amplitude");
	wire_put_real(&writer, "value", 1);
	assert_refused(JOSTLE_EINVAL, "name: ");
	begin("instrument");
	wire_put_text(&writer, "name", "noise");
	wire_put_text(&writer, "set", "amplitude");
	wire_put_real(&writer, "value", NAN);
	assert_refused(JOSTLE_EINVAL, "value: ");
	begin("explode");
	assert_refused(JOSTLE_EINVAL, "explode");
	begin("sampl");
	assert_refused(JOSTLE_EINVAL, "sampl");
}

/* catches: a command carried out without the fields that every command has, or in another version */
static void version_id_and_command_are_asked_for(void **state)
{
	struct message message;

	(void)state;
	for (unsigned without = 0; without < 3; without++) {
		wire_clear(&writer);
		wire_map(&writer);
		if (without != 0)
			wire_put_whole(&writer, "v", MESSAGE_VERSION);
		if (without != 1)
			wire_put_whole(&writer, "id", 0);
		if (without != 2)
			wire_put_text(&writer, "command", "ping");
		wire_end(&writer);
		assert_int_equal(decode(&message), JOSTLE_EINVAL);
		assert_true(message.has_id == (without != 1));
	}
	wire_clear(&writer);
	wire_map(&writer);
	wire_put_whole(&writer, "v", MESSAGE_VERSION + 1);
	wire_put_whole(&writer, "id", 77);
	wire_put_text(&writer, "command", "ping");
	assert_refused(JOSTLE_EVERSION, "v: ");
}

/* catches: anything but one flat map taken: nesting, a second message behind the first, a map too long, a message too long */
static void only_one_flat_map_is_a_command(void **state)
{
	struct message message;

	(void)state;
	begin("ping");
	wire_end(&writer);
	wire_nil(&writer);
	assert_int_equal(decode(&message), JOSTLE_EFORMAT);
	begin("ping");
	wire_put_reals(&writer, "x", NULL, 0);
	wire_end(&writer);
	assert_int_equal(decode(&message), JOSTLE_EFORMAT);
	begin("ping");
	wire_key(&writer, "x");
	wire_map(&writer);
	wire_end(&writer);
	wire_end(&writer);
	assert_int_equal(decode(&message), JOSTLE_EFORMAT);
	begin("ping");
	for (int i = 0; i < MESSAGE_MAX_FIELDS; i++)
		wire_put_text(&writer, "x", NULL);
	wire_end(&writer);
	assert_int_equal(decode(&message), JOSTLE_EFORMAT);
	wire_clear(&writer);
	wire_array(&writer, 0);
	assert_int_equal(decode(&message), JOSTLE_EFORMAT);
	wire_clear(&writer);
	assert_int_equal(decode(&message), JOSTLE_EFORMAT);
	assert_false(message.has_id);
}

/* catches: a byte changed anywhere that makes a read beyond the message, or a command of a kind that does not exist */
static void a_damaged_command_is_refused_or_still_a_command(void **state)
{
	size_t n_refused = 0;

	(void)state;
	for (uint64_t round = 0; round < 20000; round++) {
		struct message message;
		uint32_t words[4];

		begin("limits");
		wire_put_whole(&writer, "output", 1);
		wire_put_real(&writer, "min_V", -0.5);
		wire_put_real(&writer, "max_V", 0.25);
		wire_end(&writer);
		random_words(11, RANDOM_DATA, 0, round, 0, words);
		writer.bytes.data[words[0] % writer.bytes.size] ^= (char)(1 + words[1] % 255);
		if (round % 2)
			writer.bytes.size = words[2] % writer.bytes.size;
		if (decode(&message)) {
			n_refused++;
			continue;
		}
		assert_true(message.kind < MESSAGE_N_KINDS);
		assert_true(message.kind != MESSAGE_LIMITS || message.min_V <= message.max_V);
	}
	assert_true(n_refused > 15000 && n_refused < 20000);
}

static int setup(void **state)
{
	(void)state;
	wire_init(&writer);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wire_fini(&writer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_without_fields_is_taken_by_its_name),
		cmocka_unit_test(fields_arrive_where_they_belong),
		cmocka_unit_test(what_is_wrong_with_a_field_is_said_by_its_name),
		cmocka_unit_test(version_id_and_command_are_asked_for),
		cmocka_unit_test(only_one_flat_map_is_a_command),
		cmocka_unit_test(a_damaged_command_is_refused_or_still_a_command),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
