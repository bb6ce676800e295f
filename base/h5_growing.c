/*
 * Files that others read while they grow: room on the disk is taken before HDF5 writes, since the library is not to be
 * trusted with a file after a write that failed; and single numbers are put in the place of others.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/h5_column.h"
#include "base/h5_error.h"

#define UNRESERVED_MARGIN (16u << 20) /* where the file system reserves nothing: others may be writing too */

int h5_share(const struct h5_file *file, struct err *err)
{
	return H5Fstart_swmr_write(file->id) < 0 ? h5_fail(err, JOSTLE_EIO, file, "cannot be shared with readers") : 0;
}

int h5_replace_u64s(const struct h5_file *file, const char *name, size_t n, const uint64_t values[], struct err *err)
{
	const hid_t set = H5Dopen2(file->id, name, H5P_DEFAULT), space = set < 0 ? H5I_INVALID_HID : H5Dget_space(set);
	int code = 0;

	if (space < 0 || H5Sget_simple_extent_npoints(space) != (hssize_t)n ||
	    H5Dwrite(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0 || H5Dflush(set) < 0)
		code = h5_fail(err, JOSTLE_EIO, file, "%s: cannot be written", name);
	if (space >= 0)
		H5Sclose(space);
	if (set >= 0)
		H5Dclose(set);
	return code;
}

uint64_t h5_size(const struct h5_file *file)
{
	hsize_t size = 0;

	H5Fget_filesize(file->id, &size);
	return size;
}

void h5_forget(struct h5_file *file)
{
	void *handle = NULL;
	const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nowhere >= 0 && H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) >= 0 && handle) {
		/* Kept to the end: the library knows the file by its inode, which must not become another file's. */
		const int kept = fcntl(*(const int *)handle, F_DUPFD_CLOEXEC, 0);

		if (kept >= 0)
			dup3(nowhere, *(const int *)handle, O_CLOEXEC);
	}
	if (nowhere >= 0)
		close(nowhere);
	H5Eclear2(H5E_DEFAULT);
	file->id = H5I_INVALID_HID;
}

/** Whether the disk has so many bytes now, where nothing can be reserved. */
static int look_for_room(int fd, uint64_t bytes)
{
	struct statvfs disk;

	if (fstatvfs(fd, &disk) < 0)
		return errno;
	return (uint64_t)disk.f_bavail * disk.f_frsize < bytes + UNRESERVED_MARGIN ? ENOSPC : 0;
}

int h5_reserve(const struct h5_file *file, uint64_t end, struct err *err)
{
	const uint64_t size = h5_size(file);
	struct rlimit most;
	void *handle = NULL;
	int reason = 0;

	if (H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) < 0 || !handle)
		return h5_fail(err, JOSTLE_EIO, file, "has no descriptor");
	if (end <= size)
		return 0;
	const int fd = *(const int *)handle;

	/* The limit on a file's size is looked at when it is written, not when room is reserved. */
	if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY && end > most.rlim_cur)
		reason = EFBIG;
	while (!reason && fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)size, (off_t)(end - size)) < 0) {
		if (errno == EINTR)
			continue;
		reason = errno;
		if (reason == EOPNOTSUPP || reason == ENOSYS) {
			reason = look_for_room(fd, end - size);
			break;
		}
	}
	return reason ? err_at(err, JOSTLE_EIO, file->path, 0, 0, "no room to grow to %llu MB: %s",
			       (unsigned long long)(end / 1000000), strerror(reason))
		      : 0;
}
