/*
 * Frames of telemetry. Nobody is waited for: a subscriber that does not keep up loses frames, and sees it by their numbers.
 */
#include <math.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/ring.h"
#include "control/service_parts.h"
#include "daq/bench.h"
#include "daq/daq.h"

#define SECOND_NS  INT64_C(1000000000)
#define MAX_TOPICS 256 /* subscribed to: some by their beginnings, and some of versions to come */

static const char *const topic_names[N_TOPICS] = {
	[TOPIC_OF_STATUS] = TOPIC_STATUS, [TOPIC_OF_TRACE] = TOPIC_TRACE,         [TOPIC_OF_EVENT] = TOPIC_EVENT,
	[TOPIC_OF_SAMPLE] = TOPIC_SAMPLE, [TOPIC_OF_HISTOGRAM] = TOPIC_HISTOGRAM,
};

struct wire_writer *telemetry_begin(struct service *service, enum topic topic)
{
	struct wire_writer *writer = &service->frame;

	wire_clear(writer);
	wire_map(writer);
	wire_put_whole(writer, "v", MESSAGE_VERSION);
	wire_put_whole(writer, "seq", service->seq[topic]++);
	return writer;
}

void telemetry_send(struct service *service, enum topic topic)
{
	struct wire_writer *writer = &service->frame;
	const char *name = topic_names[topic];

	wire_end(writer);
	if (writer->failed || zmq_send(service->publisher, name, strlen(name), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return;
	zmq_send(service->publisher, writer->bytes.data, writer->bytes.size, ZMQ_DONTWAIT);
}

/** libzmq tells of each topic that is new to it and of each that nobody wants any longer, and keeps all between in memory. */
void telemetry_serve(struct service *service)
{
	unsigned char what;

	while (zmq_recv(service->publisher, &what, sizeof(what), ZMQ_DONTWAIT) >= 1) {
		if (what == 1)
			service->n_topics++;
		else if (what == 0)
			service->n_topics -= service->n_topics > 0;
		if (service->n_topics > MAX_TOPICS)
			door_clear(&service->publisher_door, "more topics are asked for than there are");
	}
}

void telemetry_put_number(struct wire_writer *writer, const char *key, double value)
{
	wire_key(writer, key);
	if (isfinite(value))
		wire_real(writer, value);
	else
		wire_nil(writer);
}

void telemetry_put_trip(const struct service *service, struct wire_writer *writer, const struct trip *trip)
{
	char text[512];

	wire_key(writer, "trip");
	if (trip->cause == TRIP_NONE) {
		wire_nil(writer);
		return;
	}
	trip_format(trip, service->setup.bench, text, sizeof(text));
	wire_map(writer);
	wire_put_whole(writer, "cause", trip->cause);
	wire_put_whole(writer, "channel", trip->channel);
	telemetry_put_number(writer, "value", trip->value);
	telemetry_put_number(writer, "limit", trip->limit);
	wire_put_whole(writer, "tick", trip->tick);
	wire_put_signed(writer, "t_ns", trip->t_ns);
	wire_put_text(writer, "text", text);
	wire_end(writer);
}

static void put_recorder(const struct service *service, struct wire_writer *writer)
{
	struct recorder_status status;

	wire_key(writer, "recorder");
	if (!service->setup.recorder) {
		wire_nil(writer);
		return;
	}
	recorder_status(service->setup.recorder, &status);
	wire_map(writer);
	wire_put_flag(writer, "on", status.on);
	wire_put_whole(writer, "rows", status.n_rows);
	wire_put_whole(writer, "acknowledged", status.n_acknowledged);
	wire_put_whole(writer, "dropped", status.n_dropped);
	wire_put_flag(writer, "failed", status.failed);
	wire_put_text(writer, "text", status.text);
	wire_put_text(writer, "path", status.path);
	wire_end(writer);
}

static void put_program(const struct service *service, struct wire_writer *writer)
{
	const struct loop_view *view = service->view;
	const struct entry *entry = programs_find(service, service->current);

	wire_put_whole(writer, "program", service->current);
	wire_put_text(writer, "protocol", entry ? entry->loaded->protocol.checksum : NULL);
	wire_put_whole(writer, "samples_wanted", entry ? entry->n_samples : 0);
	wire_put_whole(writer, "samples", view ? view->n_samples : 0);
	wire_put_whole(writer, "spoiled", view ? view->n_spoiled : 0);
	wire_put_flag(writer, "done", view && view->done);
	wire_put_whole(writer, "segment", view ? view->tick.segment : 0);
	telemetry_put_number(writer, "setpoint_t",
			     view && view->tick.setpoint == SETPOINT_PROTOCOL ? view->tick.setpoint_t : NAN);
}

static int64_t unix_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/** Of the bath, by the loop's own input or an instrument. */
static double temperature_K(const struct service *service)
{
	const double measured_K = service->view ? service->view->temperature_K : NAN;

	return isnan(measured_K) ? instruments_temperature_K(service->setup.instruments) : measured_K;
}

void telemetry_put_status(struct service *service, struct wire_writer *writer)
{
	const struct service_setup *setup = &service->setup;
	const struct loop_view *view = service->view;

	wire_put_text(writer, "name", setup->name);
	wire_put_text(writer, "backend", setup->backend);
	wire_put_flag(writer, "simulated", setup->simulated);
	wire_put_real(writer, "period_s", setup->loop->daq->period_s);
	wire_put_signed(writer, "now_ns", clock_now_ns());
	wire_put_signed(writer, "unix_ns", unix_now_ns());
	wire_put_whole(writer, "ticks", loop_n_ticks(setup->loop));
	wire_put_text(writer, "state", supervisor_state_name(service->state));
	telemetry_put_trip(service, writer, &service->trip);
	wire_put_whole(writer, "tick", view ? view->tick.tick : 0);
	wire_put_signed(writer, "t_ns", view ? view->tick.t_ns : 0);
	wire_put_signed(writer, "exchange", view ? view->tick.exchange : 0);
	wire_put_whole(writer, "outside", view ? view->tick.outside : 0);
	wire_put_whole(writer, "missed", view ? view->n_missed : 0);
	wire_put_whole(writer, "driven", view ? view->n_driven : 0);
	wire_put_whole(writer, "refused", view ? view->n_refused : 0);
	telemetry_put_number(writer, "temperature_K", temperature_K(service));
	put_program(service, writer);
	put_recorder(service, writer);
	wire_put_whole(writer, "commands", service->n_commands);
	wire_put_whole(writer, "malformed", service->n_malformed);
	wire_put_whole(writer, "events_dropped", atomic_load(&setup->events->n_dropped));
	wire_put_text(writer, "override", setup->override_text);
	telemetry_put_instruments(service, writer);
}

static void put_trace(const struct service *service, struct wire_writer *writer)
{
	const struct loop_view *view = service->view;
	const struct bench *bench = service->setup.bench;
	const size_t n_sites = bench->nx * bench->ny;

	wire_put_whole(writer, "number", view->tick.number);
	wire_put_whole(writer, "tick", view->tick.tick);
	wire_put_signed(writer, "t_ns", view->tick.t_ns);
	wire_put_text(writer, "state", supervisor_state_name((enum supervisor_state)view->tick.state));
	telemetry_put_number(writer, "setpoint_t",
			     view->tick.setpoint == SETPOINT_PROTOCOL ? view->tick.setpoint_t : NAN);
	wire_put_reals(writer, "x", view->x, n_sites);
	wire_put_reals(writer, "force", view->force, n_sites);
	wire_put_reals(writer, "command", view->command, bench->n_out);
	wire_put_reals(writer, "in_V", view->in_V, bench->n_in);
	wire_put_reals(writer, "out_V", view->out_V, bench->n_out);
}

void telemetry_put_trace(const struct service *service, struct wire_writer *writer)
{
	if (!service->view) {
		wire_nil(writer);
		return;
	}
	wire_map(writer);
	put_trace(service, writer);
	wire_end(writer);
}

static void put_histogram(struct service *service, struct wire_writer *writer, const char *key,
			  const struct histogram *from)
{
	static const struct {
		const char *key;
		double q;
	} quantiles[] = {
		{"p50_ns", 0.5}, {"p99_ns", 0.99}, {"p99.9_ns", 0.999}, {"p99.99_ns", 0.9999}, {"p99.999_ns", 0.99999}};
	struct histogram *copy = &service->histogram;
	size_t last = 0;

	histogram_copy(copy, from);
	wire_key(writer, key);
	wire_map(writer);
	wire_put_whole(writer, "n", copy->n);
	wire_put_signed(writer, "max_ns", copy->max_ns);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		wire_put_signed(writer, quantiles[i].key, histogram_quantile_ns(copy, quantiles[i].q));
	for (size_t i = 0; i < HISTOGRAM_BINS; i++)
		last = copy->count[i] ? i + 1 : last;
	wire_key(writer, "count");
	wire_array(writer, last);
	for (size_t i = 0; i < last; i++)
		wire_whole(writer, copy->count[i]);
	wire_end(writer);
}

static void publish_histograms(struct service *service)
{
	const struct loop_timing *timing = &service->setup.loop->timing;
	struct wire_writer *writer = telemetry_begin(service, TOPIC_OF_HISTOGRAM);

	put_histogram(service, writer, "wake", &timing->wake);
	put_histogram(service, writer, "exchange", &timing->exchange);
	put_histogram(service, writer, "execution", &timing->execution);
	put_histogram(service, writer, "period", &timing->period);
	telemetry_send(service, TOPIC_OF_HISTOGRAM);
}

/** Whether something that recurs is due; if so, when next. What was slept through is left out. */
static bool due(int64_t *next_ns, int64_t now_ns, int64_t interval_ns)
{
	if (now_ns < *next_ns)
		return false;
	*next_ns = *next_ns + interval_ns > now_ns ? *next_ns + interval_ns : now_ns + interval_ns;
	return true;
}

void telemetry_publish(struct service *service, int64_t now_ns)
{
	if (due(&service->next_trace_ns, now_ns, SECOND_NS / MESSAGE_TRACE_HZ) && events_look(service)) {
		put_trace(service, telemetry_begin(service, TOPIC_OF_TRACE));
		telemetry_send(service, TOPIC_OF_TRACE);
	}
	if (due(&service->next_status_ns, now_ns, SECOND_NS / MESSAGE_STATUS_HZ)) {
		telemetry_put_status(service, telemetry_begin(service, TOPIC_OF_STATUS));
		telemetry_send(service, TOPIC_OF_STATUS);
	}
	if (due(&service->next_histogram_ns, now_ns, SECOND_NS))
		publish_histograms(service);
}

int64_t telemetry_due_ns(const struct service *service)
{
	int64_t due_ns = service->next_trace_ns;

	due_ns = service->next_status_ns < due_ns ? service->next_status_ns : due_ns;
	return service->next_histogram_ns < due_ns ? service->next_histogram_ns : due_ns;
}
