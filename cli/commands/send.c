/*
 * jostle send: one command to a bench process, and its answer.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/options.h"
#include "control/curve.h"
#include "control/messages.h"

#define COMMANDS  "tcp://127.0.0.1:7451"
#define MAX_DEPTH WIRE_MAX_DEPTH

struct arguments {
	const char *commands, *command, *key, *server;
	struct option_list fields;
	double timeout_s;
};

/** What a word of the command line stands for on the wire: null, a flag, a number, else text. */
static void put_value(struct wire_writer *writer, const char *word)
{
	char *end;
	const double number = strtod(word, &end);

	if (strcmp(word, "null") == 0)
		wire_nil(writer);
	else if (strcmp(word, "true") == 0 || strcmp(word, "on") == 0)
		wire_flag(writer, true);
	else if (strcmp(word, "false") == 0 || strcmp(word, "off") == 0)
		wire_flag(writer, false);
	else if (end == word || *end)
		wire_text(writer, word);
	else if (number >= 0 && number < 9e15 && number == floor(number))
		wire_whole(writer, (uint64_t)number);
	else
		wire_real(writer, number);
}

static int encode(struct wire_writer *writer, const struct arguments *arguments, struct err *err)
{
	wire_map(writer);
	wire_put_whole(writer, "v", MESSAGE_VERSION);
	wire_put_whole(writer, "id", 1);
	wire_put_text(writer, "command", arguments->command);
	for (size_t i = 0; i < arguments->fields.n; i++) {
		const char *word = arguments->fields.text[i], *equals = strchr(word, '=');
		char key[64];

		if (!equals || equals == word || (size_t)(equals - word) >= sizeof(key))
			return err_set(err, JOSTLE_EINVAL, "expected FIELD=VALUE, found \"%s\"", word);
		snprintf(key, sizeof(key), "%.*s", (int)(equals - word), word);
		wire_key(writer, key);
		put_value(writer, equals + 1);
	}
	wire_end(writer);
	return writer->failed ? err_set(err, JOSTLE_ENOMEM, "no memory for a command") : 0;
}

/** One value and what is in it, a line each; false where the bytes make no sense. */
static bool print_value(struct wire_reader *reader, int indent)
{
	struct wire_value value, key;

	if (indent > MAX_DEPTH || !wire_read(reader, &value))
		return false;
	switch (value.kind) {
	case WIRE_NIL:
		printf(" null\n");
		break;
	case WIRE_FLAG:
		printf(" %s\n", value.flag ? "true" : "false");
		break;
	case WIRE_TEXT:
		printf(memchr(value.text, '\n', value.n) ? "\n%.*s\n" : " %.*s\n", (int)value.n, value.text);
		break;
	case WIRE_ARRAY:
		for (size_t i = 0; i < value.n; i++) {
			struct wire_value member;

			if (!wire_read(reader, &member) || member.kind == WIRE_MAP || member.kind == WIRE_ARRAY)
				return false;
			if (member.kind == WIRE_TEXT)
				printf(" %.*s", (int)member.n, member.text);
			else
				printf(" %.9g", member.kind == WIRE_NIL ? (double)NAN : member.real);
		}
		printf("\n");
		break;
	case WIRE_MAP:
		printf("%s", indent ? "\n" : "");
		for (size_t i = 0; i < value.n; i++) {
			if (!wire_read(reader, &key) || key.kind != WIRE_TEXT)
				return false;
			printf("%*s%.*s:", 2 * indent, "", (int)key.n, key.text);
			if (!print_value(reader, indent + 1))
				return false;
		}
		break;
	default:
		printf(" %.17g\n", value.real);
		break;
	}
	return true;
}

/** Whether an answer says that the command was carried out. */
static bool answered_ok(const void *bytes, size_t size)
{
	struct wire_reader reader = {bytes, (const unsigned char *)bytes + size};
	struct wire_value map, key, value;

	if (!wire_read(&reader, &map) || map.kind != WIRE_MAP)
		return false;
	/* "ok" stands before anything that is not a plain value. */
	for (size_t i = 0; i < map.n && wire_read(&reader, &key) && wire_read(&reader, &value); i++)
		if (wire_is(&key, "ok"))
			return value.kind == WIRE_FLAG && value.flag;
	return false;
}

static int use_keys(void *socket, const struct arguments *arguments, struct err *err)
{
	uint8_t secret[CURVE_KEY_BYTES];
	char text[CURVE_KEY_TEXT], public_text[CURVE_KEY_TEXT];
	struct curve_list server;
	int code;

	if (!arguments->key != !arguments->server)
		return err_set(err, JOSTLE_EINVAL, "expected both --key and --server, or neither");
	if (!arguments->key)
		return 0;
	if ((code = curve_list_load(&server, arguments->server, err)))
		return code;
	if (server.n != 1)
		code = err_set(err, JOSTLE_EINVAL, "--server: expected one public key in %s, found %zu",
			       arguments->server, server.n);
	if (!code)
		code = curve_load_secret(secret, arguments->key, err);
	if (!code && (!zmq_z85_encode(text, secret, sizeof(secret)) || zmq_curve_public(public_text, text) ||
		      zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, text, sizeof(text)) ||
		      zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_text, sizeof(public_text)) ||
		      zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server.client[0].key, CURVE_KEY_BYTES)))
		code = err_set(err, JOSTLE_EINVAL, "the keys were refused: %s", zmq_strerror(errno));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(text, sizeof(text));
	curve_list_fini(&server);
	return code;
}

/** Send and wait. On success the answer has been printed; *ok is what it says. */
static int talk(void *socket, const struct arguments *arguments, const struct wire_writer *writer, bool *ok,
		struct err *err)
{
	const int linger = 0, timeout_ms = (int)(arguments->timeout_s * 1e3);
	zmq_msg_t answer;
	int code = 0;

	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof(timeout_ms));
	zmq_setsockopt(socket, ZMQ_SNDTIMEO, &timeout_ms, sizeof(timeout_ms));
	if (zmq_connect(socket, arguments->commands))
		return err_set(err, JOSTLE_EINVAL, "--commands: %s: %s", arguments->commands, zmq_strerror(errno));
	zmq_msg_init(&answer);
	if (zmq_send(socket, writer->bytes.data, writer->bytes.size, 0) < 0 || zmq_msg_recv(&answer, socket, 0) < 0) {
		code = err_set(err, JOSTLE_EIO,
			       "no answer from %s within %g s: is a jostle run there, and is this client allowed?",
			       arguments->commands, arguments->timeout_s);
	} else {
		struct wire_reader reader = {zmq_msg_data(&answer),
					     (unsigned char *)zmq_msg_data(&answer) + zmq_msg_size(&answer)};

		*ok = answered_ok(zmq_msg_data(&answer), zmq_msg_size(&answer));
		if (!print_value(&reader, 0))
			code = err_set(err, JOSTLE_EFORMAT, "the answer of %s makes no sense", arguments->commands);
	}
	zmq_msg_close(&answer);
	return code;
}

static int send_command(const struct arguments *arguments, bool *ok, struct err *err)
{
	struct wire_writer writer;
	void *context = zmq_ctx_new(), *socket = context ? zmq_socket(context, ZMQ_DEALER) : NULL;
	int code;

	wire_init(&writer);
	code = socket ? encode(&writer, arguments, err) : err_set(err, JOSTLE_EIO, "ZeroMQ: %s", zmq_strerror(errno));
	if (!code)
		code = use_keys(socket, arguments, err);
	if (!code)
		code = talk(socket, arguments, &writer, ok, err);
	if (socket)
		zmq_close(socket);
	if (context)
		zmq_ctx_term(context);
	wire_fini(&writer);
	return code;
}

static int run(int argc, char **argv)
{
	struct arguments a = {.commands = COMMANDS, .timeout_s = 10};
	const struct option_row rows[] = {
		{"command", OPTION_ARGUMENT, &a.command, "COMMAND",
		 "ping, status, reset, arm, run, stop, sample … (docs/file-formats.md)", true, 0, 0},
		{"field", OPTION_ARGUMENTS, &a.fields, "FIELD=VALUE", "what the command needs: n=100, path=P.h5", false,
		 0, 0},
		{"commands", OPTION_TEXT, &a.commands, "ENDPOINT", "where the bench process listens (" COMMANDS ")",
		 false, 0, 0},
		{"key", OPTION_TEXT, &a.key, "FILE", "CURVE: this client's secret key", false, 0, 0},
		{"server", OPTION_TEXT, &a.server, "FILE", "CURVE: the bench process's public key", false, 0, 0},
		{"timeout", OPTION_DOUBLE, &a.timeout_s, "SECONDS", "wait so long for the answer (10)", false, 0.01,
		 3600},
	};
	struct err err = {0};
	bool ok = false;

	options_parse("send", "one command to a bench process, and its answer", rows, OPTIONS_COUNT(rows), argc, argv);
	if (send_command(&a, &ok, &err))
		return command_failed(&err);
	return ok ? EXIT_SUCCESS : EXIT_FAILED;
}

/* The only global symbol of this file. */
const struct subcommand command_send = {
	.name = "send",
	.help = "one command to a running bench process",
	.run = run,
};
