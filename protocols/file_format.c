#include "protocols/file_format.h"

#include <string.h>

#include "base/err.h"
#include "base/h5.h"
#include "base/hash.h"

int file_format_write(const struct h5_file *file, const char *format, uint64_t version, struct err *err)
{
	int status = h5_set_text(file, "/", "format", format, err);

	return status ? status : h5_set_u64(file, "/", "format_version", version, err);
}

static int read_format(const struct h5_file *file, const char *format, uint64_t *version, struct err *err)
{
	char found[64];
	int status = h5_get_text(file, "/", "format", found, sizeof(found), err);

	if (status)
		return status;
	if (strcmp(found, format) != 0)
		return err_at(err, JOSTLE_EFORMAT, file->path, 0, 0,
			      "/: attribute format: expected \"%s\", found \"%s\"", format, found);
	return h5_get_u64(file, "/", "format_version", version, err);
}

int file_format_check(const struct h5_file *file, const char *format, uint64_t version, struct err *err)
{
	uint64_t found_version = 0;
	const int status = read_format(file, format, &found_version, err);

	if (status)
		return status;
	if (found_version != version)
		return err_at(err, JOSTLE_EVERSION, file->path, 0, 0,
			      "/: attribute format_version: expected %llu, found %llu", (unsigned long long)version,
			      (unsigned long long)found_version);
	return 0;
}

int file_format_find(const struct h5_file *file, const char *format, uint64_t newest, uint64_t *version,
		     struct err *err)
{
	const int status = read_format(file, format, version, err);

	if (status)
		return status;
	if (*version < 1 || *version > newest)
		return err_at(err, JOSTLE_EVERSION, file->path, 0, 0,
			      "/: attribute format_version: expected 1 to %llu, found %llu", (unsigned long long)newest,
			      (unsigned long long)*version);
	return 0;
}

int file_checksum_check(const struct h5_file *file, const char *computed, struct err *err)
{
	char stated[HASH_HEX_SIZE];
	int status = h5_get_text(file, "/", "checksum", stated, sizeof(stated), err);

	if (status)
		return status;
	if (strcmp(stated, computed) != 0)
		return err_at(err, JOSTLE_ECHECKSUM, file->path, 0, 0,
			      "/: attribute checksum: expected %s from the content, found %s", computed, stated);
	return 0;
}
