/* The parts of driver comedi that need no card: conversions, and a stream that comes in pieces. */
#include "daq/daq_fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "daq/comedi/converter.h"
#include "daq/comedi/rig.h"
#include "daq/comedi/stream.h"
#include "daq/daq.h"

static int ends[2]; /* of a pipe that stands for a card */

/* In place of the library's own. */
int comedi_fileno(comedi_t *device)
{
	(void)device;
	return ends[0];
}

static struct converter sixteen_bits(bool input)
{
	struct converter converter = {.max = 65535, .min_V = -10.0, .max_V = 10.0};

	if (input)
		converter.polynomial = (comedi_polynomial_t){
			.coefficients = {0.01, 3e-4, 1e-10, 1e-15}, .expansion_origin = 32768.0, .order = 3};
	else
		converter.polynomial =
			(comedi_polynomial_t){.coefficients = {100.0, 3270.0}, .expansion_origin = -10.0, .order = 1};
	return converter;
}

/* catches: a polynomial cut short or about another origin, a correction that hides a rail or leaves the range */
static void counts_become_volts_by_the_polynomial_and_rails_stay_rails(void **state)
{
	const struct converter converter = sixteen_bits(true);

	(void)state;
	assert_near(converter_volts(&converter, 32768), 0.01, 1e-15);
	assert_near(converter_volts(&converter, 42768), 0.01 + 3.0 + 0.01 + 1e-3, 1e-12);
	assert_near(converter_volts(&converter, 22768), 0.01 - 3.0 + 0.01 - 1e-3, 1e-12);
	assert_true(converter_volts(&converter, 65534) < 9.99);
	assert_near(converter_volts(&converter, 65535), 10.0, 0.0);
	assert_near(converter_volts(&converter, 4000000000u), 10.0, 0.0);
	assert_near(converter_volts(&converter, 0), -10.0, 0.0);
}

/* catches: counts that wrap around, halves that are cut */
static void volts_become_the_nearest_counts_within_the_range(void **state)
{
	struct converter converter = sixteen_bits(false);

	(void)state;
	converter_limit(&converter, -10.0, 10.0);
	assert_int_equal(converter_counts(&converter, -10.0), 100);
	assert_int_equal(converter_counts(&converter, 0.0), 32800);
	assert_int_equal(converter_counts(&converter, 0.6 / 3270.0), 32801);
	assert_int_equal(converter_counts(&converter, 10.0), 65500);
	assert_int_equal(converter_counts(&converter, 1e300), 65500);
	assert_int_equal(converter_counts(&converter, -INFINITY), 100);
}

/* catches: rounding that goes beyond a limit, by half a count; a limit that keeps the end of the range out of reach */
static void rounding_stays_within_the_limits(void **state)
{
	struct converter converter = {.max = 4095, .min_V = 0.0, .max_V = 10.0};
	const double step_V = 10.0 / 4095.0;

	(void)state;
	converter.polynomial = (comedi_polynomial_t){.coefficients = {0.0, 4095.0 / 10.0}, .order = 1};
	for (double limit_V = 1.0; limit_V < 9.0; limit_V += 0.0137) {
		converter_limit(&converter, limit_V, limit_V + 1.0);
		const double lowest_V = converter_counts(&converter, 0.0) * step_V;
		const double highest_V = converter_counts(&converter, limit_V + 1.0) * step_V;

		assert_true(lowest_V > limit_V - 1e-8 && lowest_V < limit_V + step_V);
		assert_true(highest_V < limit_V + 1.0 + 1e-8 && highest_V > limit_V + 1.0 - step_V);
	}
	converter_limit(&converter, 0.0, 10.0);
	assert_int_equal(converter_counts(&converter, 0.0), 0);
	assert_int_equal(converter_counts(&converter, 10.0), 4095);
	converter_limit(&converter, 5.0001, 5.0002); /* no count between */
	assert_int_equal(converter_counts(&converter, 5.0), 2048);
}

/* In place of the library's own: a card that refuses a subdevice, and keeps the counts of the others. */
static unsigned refused;
static lsampl_t written[4];

int comedi_do_insn(comedi_t *device, comedi_insn *insn)
{
	(void)device;
	errno = EACCES;
	if (insn->subdev == refused)
		return -1;
	written[CR_CHAN(insn->chanspec)] = *insn->data;
	return 1;
}

int comedi_do_insnlist(comedi_t *device, comedi_insnlist *list)
{
	for (unsigned k = 0; k < list->n_insns; k++)
		if (comedi_do_insn(device, &list->insns[k]) < 0)
			return -1;
	return (int)list->n_insns;
}

/* catches: outputs left where they were since another's came first and was refused; NaN at the middle of a range */
static void an_output_that_is_refused_keeps_no_other_from_it_and_what_is_no_number_is_safe(void **state)
{
	static const double out_V[4] = {1.0, NAN, 1.0, 10.0}, nan_V[4] = {NAN, NAN, NAN, NAN};
	const struct daq_channel channels[4] = {{.safe_V = 0.5}, {.safe_V = 0.5}, {.safe_V = 0.5}, {.safe_V = 0.0}};
	struct card card = {0};
	struct wire out[4];
	struct list list;
	struct err err = {0};

	(void)state;
	for (unsigned c = 0; c < 4; c++) {
		out[c] = (struct wire){
			.card = &card, .subdevice = c == 3 ? 2 : 1, .chanspec = CR_PACK(c, 0, AREF_GROUND)};
		out[c].converter = (struct converter){.max = 1000, .min_V = 0.0, .max_V = 10.0, .line = c == 3};
		out[c].converter.polynomial = (comedi_polynomial_t){.coefficients = {0.0, 100.0}, .order = 1};
		converter_limit(&out[c].converter, 0.0, 10.0);
	}
	assert_int_equal(list_init(&list, &card, out, 4, false, &err), 0);
	struct rig rig = {.n_cards = 1, .n_out = 4, .out = out, .writes = &list};

	for (refused = 0; refused <= 2; refused++) {
		memset(written, 0xff, sizeof(written));
		assert_int_equal(rig_write(&rig, out_V, channels), refused ? JOSTLE_EMISSED : 0);
		assert_int_equal(written[0], refused == 1 ? UINT32_MAX : 100);
		assert_int_equal(written[1], refused == 1 ? UINT32_MAX : 50);
		assert_int_equal(written[2], refused == 1 ? UINT32_MAX : 100);
		assert_int_equal(written[3], refused == 2 ? UINT32_MAX : 1);
	}
	assert_int_equal(rig_write(&rig, nan_V, channels), 0);
	assert_int_equal(written[0], 50);
	assert_int_equal(written[3], 0);
	list_fini(&list);
}

static struct wire wires[3];
static struct wire *of_scan[3] = {&wires[0], &wires[1], &wires[2]};
static unsigned char bytes[STREAM_ROOM];

static struct stream stream_of(struct card *card, size_t n, bool wide)
{
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	memset(wires, 0, sizeof(wires));
	return (struct stream){.card = card,
			       .n = n,
			       .wires = of_scan,
			       .wide = wide,
			       .scan_size = n * (wide ? sizeof(lsampl_t) : sizeof(sampl_t)),
			       .bytes = bytes};
}

static void close_pipe(void)
{
	close(ends[0]);
	close(ends[1]);
}

/* catches: a piece of a scan dropped, kept in the wrong place, or taken for a whole one, wherever it is cut */
static void a_stream_may_come_in_any_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= 40; piece++)
		for (int wide = 0; wide <= 1; wide++) {
			struct card card = {0};
			struct stream stream = stream_of(&card, 3, wide);
			unsigned char sent[120 * 12];
			size_t n_sent = 0;

			for (unsigned scan = 0; scan < 120; scan++)
				for (unsigned channel = 0; channel < 3; channel++) {
					const lsampl_t whole = 1000 * (channel + 1) + scan + (wide ? 1u << 20 : 0);
					const sampl_t half = (sampl_t)whole;

					memcpy(sent + n_sent, wide ? (const void *)&whole : &half, wide ? 4 : 2);
					n_sent += wide ? 4 : 2;
				}
			for (size_t at = 0; at < n_sent; at += piece) {
				const size_t n = piece < n_sent - at ? piece : n_sent - at;

				assert_int_equal(write(ends[1], sent + at, n), n);
				assert_int_equal(stream_take(&stream), 0);
				assert_int_equal(stream.n_scans, (at + n) / stream.scan_size);
				for (unsigned channel = 0; channel < 3 && stream.n_scans; channel++)
					assert_int_equal(wires[channel].counts, 1000 * (channel + 1) + stream.n_scans -
											1 + (wide ? 1u << 20 : 0));
			}
			close_pipe();
		}
}

/* catches: the end of a stream taken for a pause, a wait that does not end */
static void a_stream_that_ends_or_pauses_is_told_apart(void **state)
{
	struct card card = {0};

	(void)state;
	struct stream stream = stream_of(&card, 1, false);

	assert_int_equal(stream_take(&stream), 0);
	assert_int_equal(stream_wait(&stream, 1000000), ETIMEDOUT);
	assert_int_equal(stream_wait(&stream, -5), ETIMEDOUT);
	assert_int_equal(write(ends[1], "ab", 2), 2);
	assert_int_equal(stream_wait(&stream, 1000000000), 0);
	assert_int_equal(stream_take(&stream), 0);
	assert_int_equal(stream.n_scans, 1);
	close(ends[1]);
	assert_int_equal(stream_take(&stream), EPIPE);
	close(ends[0]);
	assert_int_equal(stream_take(&stream), EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_become_volts_by_the_polynomial_and_rails_stay_rails),
		cmocka_unit_test(volts_become_the_nearest_counts_within_the_range),
		cmocka_unit_test(rounding_stays_within_the_limits),
		cmocka_unit_test(an_output_that_is_refused_keeps_no_other_from_it_and_what_is_no_number_is_safe),
		cmocka_unit_test(a_stream_may_come_in_any_pieces),
		cmocka_unit_test(a_stream_that_ends_or_pauses_is_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
