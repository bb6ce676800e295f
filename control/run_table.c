#include "control/run_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define ONCE_BYTES 262144 /* of the widest column, gathered at once */
#define MOST_ONCE  4096
#define INDEX_ROOM 4096 /* of the disk: what a column's chunks cost besides themselves */

/** Take memory for the values of one column, of `once` records. */
static int take_memory(struct run_table *table, bool reading, struct err *err)
{
	size_t widest = 1;

	for (size_t k = 0; k < table->n_columns; k++)
		widest = table->open[k].row_size > widest ? table->open[k].row_size : widest;
	table->once = ONCE_BYTES / widest;
	table->once = table->once < 1 ? 1 : table->once > MOST_ONCE ? MOST_ONCE : table->once;
	table->values = malloc(table->once * widest);
	table->block = reading ? calloc(table->once, table->record_size) : NULL;
	return table->values && (table->block || !reading)
		       ? 0
		       : err_set(err, JOSTLE_ENOMEM, "no memory for %zu records of a run", table->once);
}

static void begin(struct run_table *table, const struct run_column columns[], size_t n_columns, size_t record_size)
{
	*table = (struct run_table){.n_columns = n_columns, .record_size = record_size};
	memcpy(table->column, columns, n_columns * sizeof(*columns));
}

int run_table_make(struct run_table *table, const struct h5_file *file, const struct run_column columns[],
		   size_t n_columns, size_t record_size, struct err *err)
{
	int code = 0;

	begin(table, columns, n_columns, record_size);
	for (size_t k = 0; k < n_columns && !code; k++)
		code = h5_column_make(&table->open[k], file, &columns[k].kind, err);
	return code ? code : take_memory(table, false, err);
}

int run_table_open(struct run_table *table, const struct h5_file *file, const struct run_column columns[],
		   size_t n_columns, size_t record_size, uint64_t n_records, struct err *err)
{
	int code = 0;

	begin(table, columns, n_columns, record_size);
	table->n_records = n_records;
	for (size_t k = 0; k < n_columns && !code; k++)
		code = h5_column_open(&table->open[k], file, &columns[k].kind, n_records, err);
	return code ? code : take_memory(table, true, err);
}

int run_table_append(struct run_table *table, const struct h5_file *file, const void *records, size_t n,
		     struct err *err)
{
	const unsigned char *record = records;

	while (n > 0) {
		const size_t now = n < table->once ? n : table->once;

		for (size_t k = 0; k < table->n_columns; k++) {
			const size_t size = table->open[k].row_size;

			for (size_t i = 0; i < now; i++)
				memcpy(table->values + i * size,
				       record + i * table->record_size + table->column[k].offset, size);
			const int code = h5_column_append(&table->open[k], file, now, table->values, err);
			if (code)
				return code;
		}
		table->n_records += now;
		record += now * table->record_size;
		n -= now;
	}
	return 0;
}

int run_table_flush(struct run_table *table, const struct h5_file *file, struct err *err)
{
	int code = 0;

	for (size_t k = 0; k < table->n_columns && !code; k++)
		code = h5_column_flush(&table->open[k], file, err);
	return code;
}

/** Read the block of records from number `at` on. */
static int read_block(struct run_table *table, const struct h5_file *file, struct err *err)
{
	const uint64_t left = table->n_records - table->at;
	const size_t n = left < table->once ? (size_t)left : table->once;

	for (size_t k = 0; k < table->n_columns; k++) {
		const size_t size = table->open[k].row_size;
		const int code = h5_column_read(&table->open[k], file, table->at, n, table->values, err);

		if (code)
			return code;
		for (size_t i = 0; i < n; i++)
			memcpy(table->block + i * table->record_size + table->column[k].offset,
			       table->values + i * size, size);
	}
	table->first = table->at;
	table->n_block = n;
	return 0;
}

int run_table_next(struct run_table *table, const struct h5_file *file, const void **record, struct err *err)
{
	if (table->at >= table->n_records)
		return 0;
	if (table->at < table->first || table->at - table->first >= table->n_block) {
		const int code = read_block(table, file, err);
		if (code)
			return code;
	}
	*record = table->block + (size_t)(table->at - table->first) * table->record_size;
	table->at++;
	return 1;
}

uint64_t run_table_room(const struct run_table *table, size_t n)
{
	uint64_t bytes = 0;

	for (size_t k = 0; k < table->n_columns; k++) {
		const struct h5_column *column = &table->open[k];

		bytes += (n / column->chunk_rows + 2) * column->chunk_rows * column->row_size + INDEX_ROOM;
	}
	return bytes;
}

void run_table_close(struct run_table *table)
{
	for (size_t k = 0; k < table->n_columns; k++)
		h5_column_close(&table->open[k]);
	free(table->values);
	free(table->block);
	*table = (struct run_table){0};
}

void run_table_forget(struct run_table *table)
{
	for (size_t k = 0; k < table->n_columns; k++)
		h5_column_forget(&table->open[k]);
	run_table_close(table);
}
