#include "control/run_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/provenance.h"
#include "control/histogram.h"
#include "control/instruments.h"
#include "daq/bench.h"
#include "protocols/calibration_record.h"
#include "protocols/file_format.h"

#define NAME_SIZE 128

static int write_attributes(const struct h5_file *file, const struct run_writer_setup *setup, struct err *err)
{
	const struct recorder_setup *recorder = setup->recorder;
	const struct units *units = &recorder->record->units;
	const struct provenance provenance = {.command = "run",
					      .backend = recorder->backend,
					      .simulated = recorder->simulated,
					      .seed = recorder->seed,
					      .bench = recorder->bench->text,
					      .plant = recorder->plant,
					      .calibration_checksum = recorder->record->checksum};
	const struct {
		const char *name, *text;
	} texts[] = {
		{"run", setup->run},
		{"previous", setup->previous},
		{"bench_name", recorder->bench->name},
		{"drive", bench_drive_name(recorder->bench->drive)},
		{"doctor", recorder->doctor},
		{"override", recorder->override_text},
	};
	int code = file_format_write(file, RUN_FILE_FORMAT, RUN_FILE_VERSION, err);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !code; i++)
		if (texts[i].text)
			code = h5_set_text(file, "/", texts[i].name, texts[i].text, err);
	if (code || (code = h5_set_u64(file, "/", "segment", setup->segment, err)) ||
	    (code = h5_set_double(file, "/", "period_s", recorder->period_s, err)) ||
	    (code = h5_set_double(file, "/", "length_m", units->length_m, err)) ||
	    (code = h5_set_double(file, "/", "time_s", units->time_s, err)) ||
	    (code = h5_set_double(file, "/", "force_N", units->force_N, err)))
		return code;
	return provenance_write(file, &provenance, err);
}

static int make_counts(const struct h5_file *file, struct err *err)
{
	const uint64_t none[RUN_N_ACKNOWLEDGED > DROPPED_N ? RUN_N_ACKNOWLEDGED : DROPPED_N] = {0};
	const size_t n_acknowledged = RUN_N_ACKNOWLEDGED, n_dropped = DROPPED_N;
	const int code = h5_write_u64s(
		file, "acknowledged", 1, &n_acknowledged, none,
		(struct h5_label){
			"1",
			"how many rows, events, commands, samples, programs, clock readings, instruments' notes hold"},
		err);

	return code ? code
		    : h5_write_u64s(
			      file, "dropped", 1, &n_dropped, none,
			      (struct h5_label){
				      "1",
				      "rows, events, commands, samples, programs, instruments' notes without room"},
			      err);
}

static int make_tables(struct run_writer *w, const struct run_shape *shape, struct err *err)
{
	static const char *const groups[] = {"tick", "events", "commands",    "samples",   "programs",
					     "plan", "clock",  "instruments", "histograms"};
	const size_t record_size[RUN_N_TABLES] = {sizeof(struct run_event),        sizeof(struct run_command),
						  run_sample_size(shape->n_sites), sizeof(struct run_program_entry),
						  sizeof(struct run_segment),      sizeof(struct run_clock),
						  sizeof(struct instruments_note)};
	struct run_column columns[RUN_N_TABLES][RUN_MAX_COLUMNS], row[RUN_MAX_COLUMNS];
	const size_t n[RUN_N_TABLES] = {run_event_columns(true, columns[RUN_EVENTS]),
					run_command_columns(columns[RUN_COMMANDS]),
					run_sample_columns(shape->n_sites, columns[RUN_SAMPLES]),
					run_program_columns(columns[RUN_PROGRAMS]),
					run_plan_columns(columns[RUN_PLAN]),
					run_clock_columns(columns[RUN_CLOCK]),
					run_instrument_columns(columns[RUN_INSTRUMENTS])};
	const size_t n_row = run_row_columns(shape, true, row);
	int code = 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && !code; i++)
		code = h5_make_group(&w->file, groups[i], err);
	if (!code)
		code = run_table_make(&w->rows, &w->file, row, n_row, run_row_size(shape, true), err);
	for (size_t k = 0; k < RUN_N_TABLES && !code; k++)
		code = run_table_make(&w->table[k], &w->file, columns[k], n[k], record_size[k], err);
	return code ? code : h5_column_make(&w->content, &w->file, &run_content_kind, err);
}

static int write_calibration(const struct h5_file *file, const struct run_writer_setup *setup, struct err *err)
{
	struct h5_column column;
	int code = h5_column_make(&column, file, &run_calibration_kind, err);

	if (!code) {
		code = h5_column_append(&column, file, setup->calibration_size, setup->calibration, err);
		h5_column_close(&column);
	}
	return code;
}

/** "histograms/wake", or with a suffix. */
static void histogram_name(const struct recorder_setup *setup, size_t k, const char *suffix, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "histograms/%s%s", setup->histogram_names[k], suffix);
}

static int make_histograms(struct run_writer *w, struct err *err)
{
	const size_t n = HISTOGRAM_BINS, one = 1;
	const uint64_t none[HISTOGRAM_BINS] = {0};
	uint64_t edge[HISTOGRAM_BINS];
	char name[NAME_SIZE];
	int code;

	for (size_t i = 0; i < n; i++)
		edge[i] = (uint64_t)histogram_edge_ns(i);
	code = h5_write_u64s(&w->file, "histograms/edge_ns", 1, &n, edge,
			     (struct h5_label){"ns", "lower edge of each bin"}, err);
	for (size_t k = 0; k < w->setup.n_histograms && !code; k++) {
		histogram_name(&w->setup, k, "", name);
		code = h5_write_u64s(&w->file, name, 1, &n, none,
				     (struct h5_label){"1", "durations counted in each bin"}, err);
		histogram_name(&w->setup, k, "_max_ns", name);
		if (!code)
			code = h5_write_u64s(&w->file, name, 1, &one, none,
					     (struct h5_label){"ns", "the longest of them"}, err);
	}
	return code;
}

int run_layout(struct run_writer *w, const struct run_writer_setup *setup, struct err *err)
{
	int code = write_attributes(&w->file, setup, err);

	if (!code)
		code = make_counts(&w->file, err);
	if (!code)
		code = make_tables(w, &setup->shape, err);
	if (!code)
		code = write_calibration(&w->file, setup, err);
	return code ? code : make_histograms(w, err);
}

int run_layout_histograms(struct run_writer *w, struct err *err)
{
	struct histogram now;
	uint64_t count[HISTOGRAM_BINS], longest;
	char name[NAME_SIZE];
	int code = 0;

	for (size_t k = 0; k < w->setup.n_histograms && !code; k++) {
		histogram_copy(&now, w->setup.histograms[k]);
		for (size_t i = 0; i < HISTOGRAM_BINS; i++)
			count[i] = now.count[i];
		longest = now.max_ns > 0 ? (uint64_t)now.max_ns : 0;
		histogram_name(&w->setup, k, "", name);
		code = h5_replace_u64s(&w->file, name, HISTOGRAM_BINS, count, err);
		histogram_name(&w->setup, k, "_max_ns", name);
		if (!code)
			code = h5_replace_u64s(&w->file, name, 1, &longest, err);
	}
	return code;
}

void run_layout_close(struct run_writer *w, bool forget)
{
	void (*const end)(struct run_table *) = forget ? run_table_forget : run_table_close;

	end(&w->rows);
	for (size_t k = 0; k < RUN_N_TABLES; k++)
		end(&w->table[k]);
	if (forget)
		h5_column_forget(&w->content);
	h5_column_close(&w->content);
	free(w->placed);
	w->placed = NULL;
}
