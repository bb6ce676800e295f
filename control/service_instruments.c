/*
 * The bench's instruments as clients see them: orders, answered when the instrument has taken them, and how all of them stand. What
 * they read goes into the run file on its way through here.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "control/instruments.h"
#include "control/service_parts.h"

#define ORDER_NS INT64_C(5000000000)

int instruments_expect(struct service *service, const struct client *client, const struct message *message,
		       struct err *err)
{
	struct expected_order *row = service->order;
	int code;

	if (!service->setup.instruments)
		return err_set(err, JOSTLE_EINVAL, "name: this bench has no instruments");
	while (row < service->order + MAX_ORDERS && row->ticket)
		row++;
	if (row == service->order + MAX_ORDERS)
		return err_set(err, JOSTLE_EBUSY, "%d commands wait for instruments already", MAX_ORDERS);
	code = instruments_order(service->setup.instruments, message->name, message->set, message->value, &row->ticket,
				 err);
	if (code) {
		row->ticket = 0;
		return code;
	}
	row->deadline_ns = clock_now_ns() + ORDER_NS;
	row->client = *client;
	row->message = *message;
	service->n_orders++;
	return 0;
}

static void answer(struct service *service, struct expected_order *row, const struct err *err)
{
	answer_record(service, 0, &row->client, &row->message, err);
	answer_begin(service, &row->message, err);
	answer_send(service, &row->client);
	row->ticket = 0;
	service->n_orders--;
}

static void hear_outcome(struct service *service, struct expected_order *row, bool late)
{
	struct err err = {0};
	int code;

	switch (instruments_outcome(service->setup.instruments, row->ticket, late, &code, &err)) {
	case ORDER_DONE:
		answer(service, row, code ? &err : NULL);
		break;
	case ORDER_WAITS:
	case ORDER_UNDER_WAY:
		if (!late)
			break;
		err_set(&err, JOSTLE_EIO, "the instrument has not answered within %d s; it may be set yet",
			(int)(ORDER_NS / 1000000000));
		answer(service, row, &err);
		break;
	}
}

void instruments_listen(struct service *service, int64_t now_ns, bool ending)
{
	struct instruments *instruments = service->setup.instruments;
	struct instruments_note note;

	for (size_t i = 0; i < MAX_ORDERS && service->n_orders > 0; i++)
		if (service->order[i].ticket)
			hear_outcome(service, &service->order[i], ending || now_ns >= service->order[i].deadline_ns);
	while (instruments && instruments_take(instruments, &note))
		if (service->setup.recorder)
			recorder_instrument(service->setup.recorder, &note);
}

static void put_limits(struct wire_writer *writer, const struct instrument_value *value)
{
	telemetry_put_number(writer, "min", value->min);
	telemetry_put_number(writer, "max", value->max);
}

static void put_values(struct wire_writer *writer, const char *key, const struct instrument_value what[],
		       const struct instruments_value value[], size_t n, bool read)
{
	wire_key(writer, key);
	wire_map(writer);
	for (size_t k = 0; k < n; k++) {
		wire_key(writer, what[k].name);
		wire_map(writer);
		telemetry_put_number(writer, "value", value[k].quantity);
		wire_put_text(writer, "unit", what[k].unit);
		wire_put_signed(writer, "t_ns", value[k].t_ns);
		put_limits(writer, &what[k]);
		if (read)
			wire_put_flag(writer, "good", value[k].good);
		wire_end(writer);
	}
	wire_end(writer);
}

void telemetry_put_instruments(struct service *service, struct wire_writer *writer)
{
	const size_t n = instruments_count(service->setup.instruments);
	struct instruments_view *view = &service->instrument;

	wire_key(writer, "instruments");
	wire_map(writer);
	for (size_t i = 0; i < n; i++) {
		instruments_look(service->setup.instruments, i, view);
		wire_key(writer, view->setup->name);
		wire_map(writer);
		wire_put_flag(writer, "connected", view->connected);
		wire_put_text(writer, "identity", view->identity);
		wire_put_whole(writer, "errors", view->n_errors);
		wire_put_text(writer, "error", view->words[0] ? view->words : NULL);
		put_values(writer, "set", view->setup->set, view->set, view->setup->n_sets, false);
		put_values(writer, "read", view->setup->read, view->read, view->setup->n_reads, true);
		wire_end(writer);
	}
	wire_end(writer);
}
