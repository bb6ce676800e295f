/*
 * A client's command: whatever bytes come, they are read within their bounds, and what is taken for a command is one, by
 * msgpack's own reader too, with every field in the range that the format promises.
 */
#include <math.h>
#include <stdbool.h>

#include <msgpack.h>

#include "base/err.h"
#include "control/messages.h"
#include "fuzz/target.h"

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/** Read every value, as a walk that knows nothing of commands would: the reader goes forward and stays within. */
static void walk(const uint8_t *bytes, size_t n)
{
	struct wire_reader reader = {bytes, bytes + n};
	struct wire_value value;
	const unsigned char *before = reader.at;

	while (wire_read(&reader, &value)) {
		REQUIRE(reader.at > before && reader.at <= reader.end);
		REQUIRE(strlen(wire_kind_name(value.kind)) > 0);
		REQUIRE(value.kind != WIRE_NEGATIVE || value.negative < 0);
		if (value.kind == WIRE_ARRAY || value.kind == WIRE_MAP)
			REQUIRE(value.n <= (size_t)(reader.end - reader.at));
		if (value.kind == WIRE_TEXT) {
			REQUIRE((const uint8_t *)value.text > before);
			REQUIRE((const uint8_t *)value.text + value.n == reader.at);
			REQUIRE(wire_plain(value.text, value.n) == value.n);
			for (size_t i = 0; i < value.n; i++)
				REQUIRE(value.text[i] == '\n' || !is_control((unsigned char)value.text[i]));
		}
		before = reader.at;
	}
	REQUIRE(reader.at >= before && reader.at <= reader.end);
}

/** A command that was taken is one map and nothing else to another reader of msgpack. */
static void check_with_msgpack(const uint8_t *bytes, size_t n)
{
	msgpack_unpacked unpacked;
	size_t at = 0;

	msgpack_unpacked_init(&unpacked);
	REQUIRE(msgpack_unpack_next(&unpacked, (const char *)bytes, n, &at) == MSGPACK_UNPACK_SUCCESS);
	REQUIRE(at == n && unpacked.data.type == MSGPACK_OBJECT_MAP && unpacked.data.via.map.size >= 3 &&
		unpacked.data.via.map.size <= MESSAGE_MAX_FIELDS);
	msgpack_unpacked_destroy(&unpacked);
}

static void check_ranges(const struct message *message)
{
	const size_t length = strnlen(message->path, sizeof(message->path));

	REQUIRE((unsigned)message->kind < MESSAGE_N_KINDS && message->has_id);
	REQUIRE(length < sizeof(message->path) && (message->kind == MESSAGE_LOAD_PROTOCOL) == (length > 0));
	for (size_t i = 0; i < length; i++)
		REQUIRE(!is_control((unsigned char)message->path[i]));
	REQUIRE(message->n <= MESSAGE_MAX_SAMPLES && (message->kind == MESSAGE_SAMPLE) == (message->n > 0));
	REQUIRE(message->relax >= MESSAGE_RELAX && message->relax <= 1e6);
	REQUIRE(isnan(message->t_final) || (message->t_final >= 1e-6 && message->t_final <= 1e3));
	REQUIRE(message->output <= 65535);
	REQUIRE(fabs(message->volts) <= 1e6 || (message->kind == MESSAGE_MANUAL && isnan(message->volts)));
	REQUIRE(fabs(message->min_V) <= 1e6 && fabs(message->max_V) <= 1e6 && message->min_V <= message->max_V);
	REQUIRE(message->slew_V_per_s >= 0.0 && message->slew_V_per_s <= 1e12);
}

/** As a client would write it. */
static void write_command(struct wire_writer *writer, const struct message *message)
{
	wire_map(writer);
	wire_put_whole(writer, "v", MESSAGE_VERSION);
	wire_put_whole(writer, "id", message->id);
	wire_put_text(writer, "command", message_name(message->kind));
	switch (message->kind) {
	case MESSAGE_LOAD_PROTOCOL:
		wire_put_text(writer, "path", message->path);
		break;
	case MESSAGE_SAMPLE:
		wire_put_whole(writer, "n", message->n);
		wire_put_real(writer, "relax", message->relax);
		if (!isnan(message->t_final))
			wire_put_real(writer, "t_final", message->t_final);
		break;
	case MESSAGE_MANUAL:
		wire_put_whole(writer, "output", message->output);
		wire_key(writer, "volts");
		if (isnan(message->volts))
			wire_nil(writer);
		else
			wire_real(writer, message->volts);
		break;
	case MESSAGE_LIMITS:
		wire_put_whole(writer, "output", message->output);
		wire_put_real(writer, "min_V", message->min_V);
		wire_put_real(writer, "max_V", message->max_V);
		if (message->slew_V_per_s > 0.0)
			wire_put_real(writer, "slew_V_per_s", message->slew_V_per_s);
		break;
	case MESSAGE_RECORD:
		wire_put_flag(writer, "on", message->on);
		break;
	default:
		break;
	}
	wire_end(writer);
}

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/** Written again and read again it is the same command. */
static void check_written_again(const struct message *message)
{
	struct wire_writer writer;
	struct message again;

	wire_init(&writer);
	write_command(&writer, message);
	REQUIRE(!writer.failed && writer.bytes.size <= MESSAGE_MAX_BYTES);
	REQUIRE(message_decode(&again, writer.bytes.data, writer.bytes.size, NULL) == 0);
	wire_fini(&writer);
	REQUIRE(again.kind == message->kind && again.id == message->id && strcmp(again.path, message->path) == 0);
	REQUIRE(again.n == message->n && again.relax == message->relax && same(again.t_final, message->t_final));
	REQUIRE(again.output == message->output && same(again.volts, message->volts) && again.on == message->on);
	REQUIRE(again.min_V == message->min_V && again.max_V == message->max_V);
	REQUIRE(again.slew_V_per_s == message->slew_V_per_s);
}

/** As a line it begins with the command's name, fits, and is one line. */
static void check_format(const struct message *message)
{
	char text[2 * MESSAGE_MAX_PATH];
	const char *name = message_name(message->kind);

	for (size_t size = 1; size <= sizeof(text); size *= 2) {
		char *line = malloc(size);

		REQUIRE(line != NULL);
		message_format(message, line, size);
		REQUIRE(strnlen(line, size) < size && strncmp(line, name, strnlen(line, strlen(name))) == 0);
		for (size_t i = 0; line[i]; i++)
			REQUIRE(!is_control((unsigned char)line[i]));
		free(line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t *copy;
	struct message message;
	struct err err = {0};
	int code;

	if (n > MESSAGE_MAX_BYTES)
		return 0;
	copy = fuzz_copy(bytes, n);
	walk(copy, n);
	code = message_decode(&message, copy, n, &err);
	if (code == 0) {
		check_with_msgpack(copy, n);
		check_ranges(&message);
		check_written_again(&message);
		check_format(&message);
	} else {
		REQUIRE(code == JOSTLE_EFORMAT || code == JOSTLE_EVERSION || code == JOSTLE_EINVAL);
		REQUIRE(err.code == code && err.text[0]);
		for (const char *at = err.text; *at; at++)
			REQUIRE(!is_control((unsigned char)*at));
	}
	free(copy);
	return 0;
}
