/*
 * Files: whole or not at all. The latest file format is asked for because it checksums its metadata and stores the end
 * of the file: a truncated or damaged file is refused when it is opened or when the damaged object is met.
 */
#include "base/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/h5_error.h"

#define PARTIAL ".partial"

#define REASON_SIZE 400
#define PAGE_SIZE   4096 /* what the system copies whole before it looks whether the process is to be killed */

/**
 * The innermost entry's text. Where the system refused, HDF5 buries its reason, "error message = '…'", among the time of
 * day, an address and numbers of bytes: then that alone.
 */
static herr_t take_reason(unsigned n, const H5E_error2_t *entry, void *context)
{
	static const char mark[] = "error message = '";
	const char *text = entry->desc ? entry->desc : "";
	const char *system = strstr(text, mark);
	char *reason = context;
	int length = REASON_SIZE - 1;

	if (n > 0)
		return 0;
	if (system) {
		text = system + strlen(mark);
		const char *end = strstr(text, "',");
		if (end && end - text < length)
			length = (int)(end - text);
	}
	snprintf(reason, REASON_SIZE, "%.*s", length, text);
	for (char *at = reason; (at = strchr(at, '\n'));)
		*at = ' ';
	return 0;
}

int h5_fail(struct err *err, int code, const struct h5_file *file, const char *format, ...)
{
	char reason[REASON_SIZE] = "", text[300];
	va_list arguments;

	H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, reason);
	H5Eclear2(H5E_DEFAULT);
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return err_at(err, code, file->path, 0, 0, "%s%s%s", text, reason[0] ? ": " : "", reason);
}

void h5_enter(void)
{
	/* At the process's end there is nothing to close that we have not closed, but what could not be. Called before
	   anything else of the library, or in vain. */
	H5dont_atexit();
	/* The library would print its own errors to standard error. */
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void partial_path(const struct h5_file *file, char path[sizeof(file->path) + sizeof(PARTIAL)])
{
	snprintf(path, sizeof(file->path) + sizeof(PARTIAL), "%s" PARTIAL, file->path);
}

static int set_path(struct h5_file *file, const char *path, struct err *err)
{
	*file = (struct h5_file){.id = H5I_INVALID_HID};
	h5_enter();
	if (!path[0] || strlen(path) >= sizeof(file->path))
		return err_set(err, JOSTLE_EIO, "expected a path of 1 to %zu characters, found %zu",
			       sizeof(file->path) - 1, strlen(path));
	memcpy(file->path, path, strlen(path) + 1);
	return 0;
}

/** What stands at a path that a file is expected at. */
static const char *kind_of(mode_t mode)
{
	return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

/** Neither the final nor the partial name may be anything but a file, and the partial one must be ours to write. */
static int check_writable(const struct h5_file *file, const char *partial, struct err *err)
{
	struct stat status;

	if (stat(file->path, &status) == 0 && !S_ISREG(status.st_mode))
		return err_at(err, JOSTLE_EIO, file->path, 0, 0, "expected a file to write, found %s",
			      kind_of(status.st_mode));
	if (stat(partial, &status) == 0 && !S_ISREG(status.st_mode))
		return err_at(err, JOSTLE_EIO, partial, 0, 0, "expected a file to write, found %s",
			      kind_of(status.st_mode));
	const int fd = open(partial, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_at(err, JOSTLE_EIO, partial, 0, 0, "cannot be written: %s", strerror(errno));
	close(fd);
	return 0;
}

/** `growing`: in pages of the memory's size that no object but a larger one crosses. */
static int create(struct h5_file *file, const char *path, bool growing, struct err *err)
{
	char partial[sizeof(file->path) + sizeof(PARTIAL)];
	hid_t access = H5I_INVALID_HID, creation = H5I_INVALID_HID;

	int code = set_path(file, path, err);
	if (code)
		return code;
	partial_path(file, partial);
	code = check_writable(file, partial, err);
	if (code)
		goto fail;
	access = H5Pcreate(H5P_FILE_ACCESS);
	creation = H5Pcreate(H5P_FILE_CREATE);
	if (access < 0 || creation < 0 || H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) < 0 ||
	    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 || H5Pset_obj_track_times(creation, false) < 0 ||
	    (growing && (H5Pset_file_space_strategy(creation, H5F_FSPACE_STRATEGY_PAGE, false, 1) < 0 ||
			 H5Pset_file_space_page_size(creation, PAGE_SIZE) < 0))) {
		code = h5_fail(err, JOSTLE_EIO, file, "cannot prepare an HDF5 file");
		goto fail;
	}
	file->id = H5Fcreate(partial, H5F_ACC_TRUNC, creation, access);
	if (file->id < 0) {
		code = h5_fail(err, JOSTLE_EIO, file, "cannot create " PARTIAL);
		goto fail;
	}
	file->writing = true;
fail:
	if (creation >= 0)
		H5Pclose(creation);
	if (access >= 0)
		H5Pclose(access);
	return code;
}

int h5_create(struct h5_file *file, const char *path, struct err *err)
{
	return create(file, path, false, err);
}

int h5_create_growing(struct h5_file *file, const char *path, struct err *err)
{
	return create(file, path, true, err);
}

static int sync_path(const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -1;
	const int result = fsync(fd);
	const int kept = errno;
	close(fd);
	errno = kept;
	return result;
}

int h5_commit(struct h5_file *file, struct err *err)
{
	char partial[sizeof(file->path) + sizeof(PARTIAL)], directory[sizeof(file->path)];

	partial_path(file, partial);
	if (!file->writing)
		return err_at(err, JOSTLE_EINVAL, file->path, 0, 0, "is not open for writing");
	file->writing = false;
	const herr_t flushed = H5Fflush(file->id, H5F_SCOPE_GLOBAL);
	const int reason =
		flushed < 0 ? h5_fail(err, JOSTLE_EIO, file, "cannot be completed; what there is stays as " PARTIAL)
			    : 0;
	if (reason) {
		h5_forget(file);
		return reason;
	}
	const herr_t closed = H5Fclose(file->id);
	file->id = H5I_INVALID_HID;
	if (closed < 0)
		return h5_fail(err, JOSTLE_EIO, file, "cannot be completed; what there is stays as " PARTIAL);
	if (sync_path(partial, O_RDONLY) < 0 || rename(partial, file->path) < 0) {
		const int error = errno;

		return err_at(err, JOSTLE_EIO, file->path, 0, 0, "cannot be completed, %s " PARTIAL ": %s",
			      access(partial, F_OK) == 0 ? "it stays as" : "there is no longer a", strerror(error));
	}
	/* The rename is on disk once the directory is; a file system that cannot sync directories is let be. */
	memcpy(directory, file->path, sizeof(directory));
	(void)sync_path(dirname(directory), O_RDONLY | O_DIRECTORY);
	return 0;
}

void h5_close(struct h5_file *file)
{
	if (file->id > 0)
		H5Fclose(file->id);
	if (file->image)
		h5_image_free(file->image);
	file->id = H5I_INVALID_HID;
	file->image = NULL;
	file->writing = false;
}

/** What must hold before the library is let near a file. */
static int check_readable(const char *path, struct err *err)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return err_at(err, errno == ENOENT || errno == ENOTDIR ? JOSTLE_ENOENT : JOSTLE_EIO, path, 0, 0,
			      "cannot be read: %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return err_at(err, JOSTLE_EFORMAT, path, 0, 0, "expected an HDF5 file, found %s",
			      kind_of(status.st_mode));
	if (access(path, R_OK) < 0)
		return err_at(err, JOSTLE_EIO, path, 0, 0, "cannot be read: %s", strerror(errno));
	if (status.st_size == 0)
		return err_at(err, JOSTLE_EFORMAT, path, 0, 0, "expected an HDF5 file, found an empty one");
	return 0;
}

static hid_t open_with(const char *path, unsigned flags)
{
	const hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
	hid_t id = H5I_INVALID_HID;

	if (properties >= 0 && H5Pset_fclose_degree(properties, H5F_CLOSE_STRONG) >= 0)
		id = H5Fopen(path, flags, properties);
	if (properties >= 0)
		H5Pclose(properties);
	return id;
}

int h5_open(struct h5_file *file, const char *path, struct err *err)
{
	int code = set_path(file, path, err);

	if (!code)
		code = check_readable(path, err);
	if (code)
		return code;
	file->id = open_with(path, H5F_ACC_RDONLY);
	return file->id < 0 ? h5_fail(err, JOSTLE_EFORMAT, file, "expected a whole HDF5 file") : 0;
}

int h5_open_growing(struct h5_file *file, const char *path, struct err *err)
{
	int code = set_path(file, path, err);

	if (!code)
		code = check_readable(path, err);
	if (code)
		return code;
	/* A file under a writer, alive or dead, opens only so; one that was closed, only the other way. */
	file->id = open_with(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ);
	if (file->id < 0) {
		H5Eclear2(H5E_DEFAULT);
		file->id = open_with(path, H5F_ACC_RDONLY);
	}
	return file->id < 0 ? h5_fail(err, JOSTLE_EFORMAT, file, "expected a whole HDF5 file") : 0;
}

bool h5_reaches(const struct h5_file *file, const char *name)
{
	char prefix[256];

	if (name[0] == '/' && !name[1])
		return true;
	if (!name[0] || strlen(name) >= sizeof(prefix))
		return false;
	for (size_t length = 1;; length++) {
		H5L_info_t info;

		if (name[length] != '/' && name[length] != '\0')
			continue;
		memcpy(prefix, name, length);
		prefix[length] = '\0';
		if (H5Lexists(file->id, prefix, H5P_DEFAULT) <= 0 ||
		    H5Lget_info(file->id, prefix, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD) {
			H5Eclear2(H5E_DEFAULT);
			return false;
		}
		if (!name[length])
			return true;
	}
}

bool h5_has(const struct h5_file *file, const char *name)
{
	return h5_reaches(file, name);
}

int h5_make_group(const struct h5_file *file, const char *name, struct err *err)
{
	const hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
	hid_t group = H5I_INVALID_HID;

	if (creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
		group = H5Gcreate2(file->id, name, H5P_DEFAULT, creation, H5P_DEFAULT);
	int code = group < 0 ? h5_fail(err, JOSTLE_EIO, file, "%s: cannot make a group", name) : 0;
	if (group >= 0)
		H5Gclose(group);
	if (creation >= 0)
		H5Pclose(creation);
	return code;
}

void h5_abandon(struct h5_file *file)
{
	char partial[sizeof(file->path) + sizeof(PARTIAL)];
	const bool writing = file->writing;

	partial_path(file, partial);
	h5_close(file);
	if (writing) {
		/* Cut short first: its room is to be had again even while the library can't let go of it. */
		const int cut = truncate(partial, 0);
		(void)cut;
		unlink(partial);
	}
}
