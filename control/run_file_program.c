/*
 * The programs of a run file: which protocol and which plan stand behind a program's id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "control/run_file.h"
#include "control/run_table.h"

#define MAX_SEGMENTS 65536
#define MAX_CONTENT  (1u << 30) /* bytes of one protocol's file */

/** Find the entry of a program; the last one, should there be several. */
static int find_entry(const struct run_file *file, uint64_t id, struct run_program_entry *entry, struct err *err)
{
	struct run_column columns[RUN_MAX_COLUMNS];
	struct run_table table = {0};
	const void *record;
	bool found = false;
	const size_t n = run_program_columns(columns);
	int code = run_table_open(&table, &file->h5, columns, n, sizeof(*entry), file->n_programs, err);

	while (!code && (code = run_table_next(&table, &file->h5, &record, err)) == 1) {
		const struct run_program_entry *candidate = record;

		code = 0;
		if (candidate->id == id) {
			*entry = *candidate;
			found = true;
		}
	}
	run_table_close(&table);
	if (code == 0 && !found)
		return err_at(err, JOSTLE_ENOENT, file->h5.path, 0, 0, "programs: expected program %llu, found none",
			      (unsigned long long)id);
	return code;
}

static int read_plan(const struct run_file *file, const struct run_program_entry *entry, struct run_program *program,
		     struct err *err)
{
	struct run_column columns[RUN_MAX_COLUMNS];
	struct run_table table = {0};
	const void *record = NULL;

	if (entry->plan_segments > MAX_SEGMENTS || entry->plan_first > UINT64_MAX - entry->plan_segments)
		return err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0,
			      "programs: expected a plan of at most %d segments, found %llu", MAX_SEGMENTS,
			      (unsigned long long)entry->plan_segments);
	const size_t n = (size_t)entry->plan_segments, n_columns = run_plan_columns(columns);

	program->segments = calloc(n ? n : 1, sizeof(*program->segments));
	if (!program->segments)
		return err_set(err, JOSTLE_ENOMEM, "no memory for a plan of %zu segments", n);
	int code = run_table_open(&table, &file->h5, columns, n_columns, sizeof(struct run_segment),
				  entry->plan_first + n, err);

	table.at = entry->plan_first;
	for (size_t i = 0; i < n && !code; i++) {
		code = run_table_next(&table, &file->h5, &record, err);
		if (code != 1)
			break;
		const struct run_segment *segment = record;

		code = segment->kind > SEGMENT_GENERATE
			       ? err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0,
					"plan/kind: expected 0 to %d, found %u", SEGMENT_GENERATE, segment->kind)
			       : 0;
		program->segments[i] = (struct segment){.kind = (enum segment_kind)segment->kind,
							.duration = segment->duration,
							.t_final = segment->t_final,
							.t_minimum = segment->t_minimum};
	}
	run_table_close(&table);
	program->plan = (struct plan){program->segments, n, entry->plan_repeats};
	return code;
}

static int read_protocol(const struct run_file *file, const struct run_program_entry *entry,
			 struct run_program *program, struct err *err)
{
	char name[sizeof(file->h5.path) + 48];
	struct h5_column content;

	if (entry->size == 0)
		return 0;
	if (entry->size > MAX_CONTENT || entry->offset > UINT64_MAX - entry->size)
		return err_at(err, JOSTLE_EFORMAT, file->h5.path, 0, 0,
			      "programs/size: expected at most %u bytes, found %llu", MAX_CONTENT,
			      (unsigned long long)entry->size);
	int code = h5_column_open(&content, &file->h5, &run_content_kind, entry->offset + entry->size, err);

	if (code)
		return code;
	unsigned char *bytes = malloc(entry->size);

	code = bytes ? h5_column_read(&content, &file->h5, entry->offset, entry->size, bytes, err)
		     : err_set(err, JOSTLE_ENOMEM, "no memory for a protocol of %llu bytes",
			       (unsigned long long)entry->size);
	h5_column_close(&content);
	snprintf(name, sizeof(name), "%s: program %llu", file->h5.path, (unsigned long long)entry->id);
	if (!code)
		code = protocol_load_image(&program->protocol, name, bytes, entry->size, err);
	program->has_protocol = code == 0;
	free(bytes);
	return code;
}

int run_file_program(const struct run_file *file, uint64_t id, struct run_program *program, struct err *err)
{
	struct run_program_entry entry;
	int code = find_entry(file, id, &entry, err);

	*program = (struct run_program){.id = id};
	if (!code)
		code = read_plan(file, &entry, program, err);
	if (!code)
		code = read_protocol(file, &entry, program, err);
	if (code)
		run_program_fini(program);
	return code;
}

void run_program_fini(struct run_program *program)
{
	if (program->has_protocol)
		protocol_fini(&program->protocol);
	free(program->segments);
	*program = (struct run_program){0};
}
