/*
 * The header of an IDX file: two zero bytes, the type of the values (8 is unsigned bytes), the rank, then each dimension
 * as 32 bits, most significant first. The values follow, and nothing after them.
 *
 * zlib's own file functions take a damaged end for an end; this reader drives inflate() itself, so that the checksum
 * is checked and one gzip member ends the file.
 */
#include "learning/idx.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/err.h"

#define TYPE_UNSIGNED_BYTE 8
#define GZIP_ONLY          (16 + MAX_WBITS)

/** A file being read, decompressed on the way when it is gzip. */
struct source {
	const char *path;
	FILE *file;
	bool compressed, ended; /* ended: the gzip member is complete and its checksum right */
	z_stream stream;        /* its input is where the plain bytes wait, too */
	uint8_t in[1 << 16];
};

/** Refill the input when it is empty. At the end of the file it stays empty. */
static int refill(struct source *source, struct err *err)
{
	z_stream *stream = &source->stream;

	if (stream->avail_in > 0)
		return 0;
	stream->next_in = source->in;
	stream->avail_in = (uInt)fread(source->in, 1, sizeof(source->in), source->file);
	if (stream->avail_in == 0 && ferror(source->file))
		return err_at(err, JOSTLE_EIO, source->path, 0, 0, "cannot be read: %s", strerror(errno));
	return 0;
}

static int source_open(struct source *source, const char *path, struct err *err)
{
	int status;

	*source = (struct source){.path = path, .file = fopen(path, "rb")};
	if (!source->file)
		return err_at(err, errno == ENOENT ? JOSTLE_ENOENT : JOSTLE_EIO, path, 0, 0, "cannot be opened: %s",
			      strerror(errno));
	if ((status = refill(source, err)))
		return status;
	if (source->stream.avail_in < 2 || source->in[0] != 0x1f || source->in[1] != 0x8b)
		return 0;
	if (inflateInit2(&source->stream, GZIP_ONLY) != Z_OK)
		return err_at(err, JOSTLE_ENOMEM, path, 0, 0, "no memory to decompress");
	source->compressed = true;
	return 0;
}

static void source_close(struct source *source)
{
	if (source->compressed)
		inflateEnd(&source->stream);
	if (source->file)
		fclose(source->file);
}

/** Decompress the next bytes of the input into the output that `stream` points to. */
static int inflate_some(struct source *source, struct err *err)
{
	z_stream *stream = &source->stream;
	const int code = inflate(stream, Z_NO_FLUSH);

	source->ended = code == Z_STREAM_END;
	if (code == Z_MEM_ERROR)
		return err_at(err, JOSTLE_ENOMEM, source->path, 0, 0, "no memory to decompress");
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0, "damaged gzip data: %s",
			      stream->msg ? stream->msg : "a dictionary was asked for");
	return 0;
}

/** Read up to `size` bytes; *n is how many there were. Fewer means the end. */
static int source_read(struct source *source, uint8_t *out, size_t size, size_t *n, struct err *err)
{
	z_stream *stream = &source->stream;
	int status;

	*n = 0;
	while (*n < size && !source->ended) {
		const size_t before = size - *n < sizeof(source->in) ? size - *n : sizeof(source->in);

		if ((status = refill(source, err)))
			return status;
		if (stream->avail_in == 0)
			break;
		stream->next_out = out + *n;
		stream->avail_out = (uInt)before;
		if (source->compressed) {
			if ((status = inflate_some(source, err)))
				return status;
		} else {
			const size_t some = before < stream->avail_in ? before : stream->avail_in;

			memcpy(out + *n, stream->next_in, some);
			stream->next_in += some;
			stream->avail_in -= (uInt)some;
			stream->avail_out -= (uInt)some;
		}
		*n += before - stream->avail_out;
	}
	return 0;
}

/** Read exactly `size` bytes of the part called `field`. */
static int read_field(struct source *source, const char *field, uint8_t *out, size_t size, struct err *err)
{
	size_t n;
	const int status = source_read(source, out, size, &n, err);

	if (status || n == size)
		return status;
	return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0, "%s: expected %zu bytes, found %zu before the end",
		      field, size, n);
}

/** Nothing may follow the values: no byte of theirs, and in a gzip file nothing after its one member. */
static int expect_end(struct source *source, struct err *err)
{
	uint8_t extra;
	size_t n;
	int status = source_read(source, &extra, 1, &n, err);

	if (status || (status = refill(source, err)))
		return status;
	if (n > 0 || source->stream.avail_in > 0)
		return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0,
			      "values: expected the end of the file, found more");
	if (source->compressed && !source->ended)
		return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0,
			      "gzip data: expected their checksum, found the end");
	return 0;
}

/** Read and check the header; *n_values is what the dimensions make. */
static int read_header(struct idx *idx, struct source *source, size_t rank, size_t *n_values, struct err *err)
{
	uint8_t magic[4], sizes[4 * IDX_MAX_RANK];
	int status = read_field(source, "magic number", magic, sizeof(magic), err);

	if (status)
		return status;
	if (magic[0] != 0 || magic[1] != 0)
		return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0,
			      "magic number: expected 0000 in its first bytes, found %02x%02x", magic[0], magic[1]);
	if (magic[2] != TYPE_UNSIGNED_BYTE)
		return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0, "type: expected 8, unsigned bytes, found %d",
			      magic[2]);
	if (magic[3] != rank)
		return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0, "rank: expected %zu, found %d", rank, magic[3]);
	if ((status = read_field(source, "dimensions", sizes, 4 * rank, err)))
		return status;
	*n_values = 1;
	for (size_t d = 0; d < rank; d++) {
		const uint8_t *at = sizes + 4 * d;
		const size_t size = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];

		if (size == 0 || size > IDX_MAX_VALUES / *n_values)
			return err_at(err, JOSTLE_EFORMAT, source->path, 0, 0,
				      "dimension %zu: expected 1 to %zu, found %zu", d + 1, IDX_MAX_VALUES / *n_values,
				      size);
		idx->dims[d] = size;
		*n_values *= size;
	}
	idx->rank = rank;
	return 0;
}

int idx_load(struct idx *idx, const char *path, size_t rank, struct err *err)
{
	struct source source;
	size_t n_values = 0;
	int status;

	*idx = (struct idx){0};
	if (rank == 0 || rank > IDX_MAX_RANK)
		return err_set(err, JOSTLE_EINVAL, "expected a rank of 1 to %d, found %zu", IDX_MAX_RANK, rank);
	if ((status = source_open(&source, path, err)) || (status = read_header(idx, &source, rank, &n_values, err)))
		goto done;
	idx->values = malloc(n_values);
	if (!idx->values) {
		status = err_at(err, JOSTLE_ENOMEM, path, 0, 0, "no memory for %zu values", n_values);
		goto done;
	}
	if ((status = read_field(&source, "values", idx->values, n_values, err)))
		goto done;
	status = expect_end(&source, err);
done:
	source_close(&source);
	if (status)
		idx_fini(idx);
	return status;
}

void idx_fini(struct idx *idx)
{
	free(idx->values);
	*idx = (struct idx){0};
}
