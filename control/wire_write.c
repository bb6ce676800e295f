#include <string.h>

#include "control/wire.h"

#define MAP16_HEADER 3 /* bytes: the type and the number of pairs */

void wire_init(struct wire_writer *writer)
{
	*writer = (struct wire_writer){0};
	msgpack_sbuffer_init(&writer->bytes);
	msgpack_packer_init(&writer->packer, &writer->bytes, msgpack_sbuffer_write);
}

void wire_fini(struct wire_writer *writer)
{
	msgpack_sbuffer_destroy(&writer->bytes);
}

void wire_clear(struct wire_writer *writer)
{
	msgpack_sbuffer_clear(&writer->bytes);
	writer->depth = 0;
	writer->failed = false;
}

static void note(struct wire_writer *writer, int failed)
{
	writer->failed |= failed != 0;
}

void wire_map(struct wire_writer *writer)
{
	static const char header[MAP16_HEADER] = {(char)0xde, 0, 0};

	if (writer->depth == WIRE_MAX_DEPTH) {
		writer->failed = true;
		return;
	}
	writer->map[writer->depth].at = writer->bytes.size;
	writer->map[writer->depth++].n = 0;
	note(writer, msgpack_sbuffer_write(&writer->bytes, header, sizeof(header)));
}

void wire_end(struct wire_writer *writer)
{
	if (writer->failed || writer->depth == 0) {
		writer->failed = true;
		return;
	}
	const size_t at = writer->map[--writer->depth].at;
	const unsigned n = writer->map[writer->depth].n;

	note(writer, n > UINT16_MAX);
	writer->bytes.data[at + 1] = (char)(n >> 8);
	writer->bytes.data[at + 2] = (char)n;
}

void wire_key(struct wire_writer *writer, const char *key)
{
	if (writer->depth > 0)
		writer->map[writer->depth - 1].n++;
	wire_text(writer, key);
}

void wire_nil(struct wire_writer *writer)
{
	note(writer, msgpack_pack_nil(&writer->packer));
}

void wire_flag(struct wire_writer *writer, bool value)
{
	note(writer, value ? msgpack_pack_true(&writer->packer) : msgpack_pack_false(&writer->packer));
}

void wire_whole(struct wire_writer *writer, uint64_t value)
{
	note(writer, msgpack_pack_uint64(&writer->packer, value));
}

void wire_signed(struct wire_writer *writer, int64_t value)
{
	note(writer, msgpack_pack_int64(&writer->packer, value));
}

void wire_real(struct wire_writer *writer, double value)
{
	note(writer, msgpack_pack_double(&writer->packer, value));
}

void wire_text(struct wire_writer *writer, const char *value)
{
	const size_t n = strlen(value);

	note(writer, msgpack_pack_str(&writer->packer, n));
	for (size_t done = 0; done < n && !writer->failed;) {
		const size_t plain = wire_plain(value + done, n - done);

		note(writer, msgpack_pack_str_body(&writer->packer, value + done, plain));
		done += plain;
		if (done < n) {
			note(writer, msgpack_pack_str_body(&writer->packer, "?", 1));
			done++;
		}
	}
}

void wire_array(struct wire_writer *writer, size_t n)
{
	note(writer, msgpack_pack_array(&writer->packer, n));
}

void wire_reals(struct wire_writer *writer, const double values[], size_t n)
{
	wire_array(writer, n);
	for (size_t i = 0; i < n; i++)
		wire_real(writer, values[i]);
}

void wire_put_flag(struct wire_writer *writer, const char *key, bool value)
{
	wire_key(writer, key);
	wire_flag(writer, value);
}

void wire_put_whole(struct wire_writer *writer, const char *key, uint64_t value)
{
	wire_key(writer, key);
	wire_whole(writer, value);
}

void wire_put_signed(struct wire_writer *writer, const char *key, int64_t value)
{
	wire_key(writer, key);
	wire_signed(writer, value);
}

void wire_put_real(struct wire_writer *writer, const char *key, double value)
{
	wire_key(writer, key);
	wire_real(writer, value);
}

void wire_put_text(struct wire_writer *writer, const char *key, const char *value)
{
	wire_key(writer, key);
	if (value)
		wire_text(writer, value);
	else
		wire_nil(writer);
}

void wire_put_reals(struct wire_writer *writer, const char *key, const double values[], size_t n)
{
	wire_key(writer, key);
	wire_reals(writer, values, n);
}
