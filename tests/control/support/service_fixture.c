#include "control/support/service_fixture.h"

#include "base/memory.h"

#define TICK_NS 200000

struct fixture fixture;
static struct notes notes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const specs[] = {"onsite-power powers=2", "bilinear range=1"};
static const double theta[] = {0.8, 0.7, 0.3};

#ifdef __SANITIZE_THREAD__
/* libzmq is not instrumented: what it hands from thread to thread looks like a race. */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
	return "race:libzmq\ncalled_from_lib:libzmq\nrace:receive\n";
}
#endif

/* The recorder: notes. */

struct notes fixture_notes(void)
{
	struct notes copy;

	pthread_mutex_lock(&lock);
	copy = notes;
	pthread_mutex_unlock(&lock);
	return copy;
}

void recorder_set(struct recorder *recorder, bool on)
{
	(void)recorder;
	pthread_mutex_lock(&lock);
	notes.on = on;
	pthread_mutex_unlock(&lock);
}

void recorder_command(struct recorder *recorder, uint64_t request, const char *client, const char *command,
		      const char *answer)
{
	(void)recorder;
	pthread_mutex_lock(&lock);
	if (notes.n_commands < MAX_NOTES) {
		notes.command[notes.n_commands].request = request;
		snprintf(notes.command[notes.n_commands].client, 64, "%s", client);
		snprintf(notes.command[notes.n_commands].command, 256, "%s", command);
		snprintf(notes.command[notes.n_commands].answer, 512, "%s", answer);
	}
	notes.n_commands++;
	notes.on_at_last = notes.on;
	pthread_mutex_unlock(&lock);
}

int recorder_image(const struct recorder *recorder, const struct protocol *protocol, unsigned char **content,
		   size_t *size, struct err *err)
{
	(void)recorder;
	(void)err;
	while (atomic_load(&fixture.slow_disk))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	*size = sizeof(protocol->checksum);
	*content = malloc(*size);
	assert_non_null(*content);
	memcpy(*content, protocol->checksum, *size);
	return 0;
}

void recorder_program(struct recorder *recorder, uint64_t program, const char *checksum, const unsigned char *content,
		      size_t size, const struct plan *plan)
{
	(void)recorder;
	assert_true(plan->n_segments > 0);
	assert_true(size == strlen(checksum) + 1 && memcmp(content, checksum, size) == 0);
	pthread_mutex_lock(&lock);
	if (notes.n_protocols < MAX_NOTES)
		notes.program[notes.n_protocols] = program;
	notes.n_protocols++;
	pthread_mutex_unlock(&lock);
}

void recorder_sample(struct recorder *recorder, uint64_t program, uint64_t number, uint64_t tick, const double value[])
{
	(void)recorder;
	(void)number;
	(void)tick;
	(void)value;
	pthread_mutex_lock(&lock);
	if (notes.n_samples < MAX_NOTES)
		notes.sample_program[notes.n_samples] = program;
	notes.n_samples++;
	pthread_mutex_unlock(&lock);
}

void recorder_instrument(struct recorder *recorder, const struct instruments_note *note)
{
	(void)recorder;
	pthread_mutex_lock(&lock);
	if (notes.n_instruments < MAX_NOTES)
		notes.instrument[notes.n_instruments] = *note;
	notes.n_instruments++;
	pthread_mutex_unlock(&lock);
}

void recorder_status(struct recorder *recorder, struct recorder_status *status)
{
	(void)recorder;
	*status = (struct recorder_status){.n_rows = 5, .n_dropped = 2};
	pthread_mutex_lock(&lock);
	status->on = notes.on;
	pthread_mutex_unlock(&lock);
}

/* The loop and the service. */

static void take_time(struct daq *daq)
{
	(void)daq;
	if (atomic_exchange(&fixture.fail, false))
		test_script.fail_at = test_record.n_exchanges;
	nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
}

static void count(void *context)
{
	(void)context;
	atomic_fetch_add(&fixture.n_attended, 1);
}

static void build_loop(struct fixture *f)
{
	const struct program_setup program = {
		.id = SERVICE_FIRST_PROGRAM,
		.bench = f->bench,
		.calibration = &f->calibration,
		.record = &f->record,
		.period_s = f->daq.period_s,
	};
	const struct loop_setup setup = {
		.daq = &f->daq,
		.calibration = &f->calibration,
		.program = &f->idle,
		.events = &f->events,
		.cpu = LOOP_ANY_CPU,
		.arming_allowed = true,
	};

	f->loop = aligned_alloc(MEMORY_ALIGNMENT, memory_round_up(sizeof(*f->loop), MEMORY_ALIGNMENT));
	assert_non_null(f->loop);
	if (ring_init(&f->events, sizeof(struct loop_event), 1024, &f->err) ||
	    ring_init(&f->samples, sequencer_record_size(TEST_SITES), 16, &f->err) ||
	    calibration_init(&f->calibration, f->bench, &f->record, f->daq.period_s, &f->err) ||
	    program_init(&f->idle, &program, &f->err) || loop_init(f->loop, &setup, &f->err))
		fail_msg("%s", f->err.text);
}

void fixture_new(struct scratch *scratch)
{
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	f->provenance = (struct provenance){.command = "test", .backend = "none"};
	notes = (struct notes){0};
	f->scratch = scratch;
	test_script_reset();
	test_script.noisy = true;
	test_script.before = take_time;
	f->bench = test_bench_feedback();
	test_bench_open(&f->daq, &f->record, f->bench, false);
	test_protocol(&f->protocol, specs, 2, theta);
	f->protocol.t[0] = 0.1; /* well within what this bench's loop can follow */
	snprintf(f->protocol_path, sizeof(f->protocol_path), "%s", scratch_path(scratch, "p.h5"));
	if (protocol_save(&f->protocol, f->protocol_path, &f->provenance, &f->err))
		fail_msg("%s", f->err.text);
	build_loop(f);
	snprintf(f->telemetry, sizeof(f->telemetry), "ipc://%s", scratch_path(scratch, "telemetry"));
	snprintf(f->commands, sizeof(f->commands), "ipc://%s", scratch_path(scratch, "commands"));
	f->setup = (struct service_setup){
		.name = "test-run",
		.loop = f->loop,
		.recorder = (struct recorder *)&notes,
		.bench = f->bench,
		.record = &f->record,
		.events = &f->events,
		.samples = &f->samples,
		.telemetry = f->telemetry,
		.commands = f->commands,
		.backend = "test driver",
		.simulated = true,
		.doctor = "all is well\nso far",
		.attend = count,
	};
	f->context = zmq_ctx_new();
	if (loop_start(f->loop, &f->err))
		fail_msg("%s", f->err.text);
}

static void *serve(void *argument)
{
	struct fixture *f = argument;

	f->code = service_run(f->service, &f->err);
	return NULL;
}

void fixture_serve(void)
{
	struct fixture *f = &fixture;
	const int linger = 0;

	if (service_open(&f->service, &f->setup, &f->err))
		fail_msg("%s", f->err.text);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	f->serving = true;
	f->client = zmq_socket(f->context, ZMQ_DEALER);
	assert_int_equal(zmq_setsockopt(f->client, ZMQ_LINGER, &linger, sizeof(linger)), 0);
	assert_int_equal(zmq_connect(f->client, f->commands), 0);
}

int fixture_join(void)
{
	pthread_join(fixture.thread, NULL);
	fixture.serving = false;
	return fixture.code;
}

void fixture_free(void)
{
	struct fixture *f = &fixture;

	loop_stop(f->loop);
	loop_join(f->loop, NULL);
	if (f->serving)
		fixture_join();
	service_close(f->service);
	if (f->client)
		zmq_close(f->client);
	if (f->subscriber)
		zmq_close(f->subscriber);
	zmq_ctx_term(f->context);
	loop_fini(f->loop);
	free(f->loop);
	program_fini(&f->idle);
	calibration_fini(&f->calibration);
	ring_fini(&f->events);
	ring_fini(&f->samples);
	protocol_fini(&f->protocol);
	calibration_record_fini(&f->record);
	daq_close(&f->daq);
}

/* Clients. */

/** Pass over what is in an array or a map. */
static void pass_over(struct wire_reader *reader, const struct wire_value *group)
{
	size_t left = group->kind == WIRE_ARRAY ? group->n : group->kind == WIRE_MAP ? 2 * group->n : 0;
	struct wire_value value;

	while (left-- > 0) {
		assert_true(wire_read(reader, &value));
		pass_over(reader, &value);
	}
}

bool fixture_receive(void *socket, int timeout_ms)
{
	struct fixture *f = &fixture;
	const int timeout = timeout_ms ? timeout_ms : PATIENCE_MS;
	struct wire_reader reader = {f->bytes, f->bytes};
	struct wire_value map;

	assert_int_equal(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof(timeout)), 0);
	const int size = zmq_recv(socket, f->bytes, sizeof(f->bytes), 0);

	if (size < 0)
		return false;
	assert_true((size_t)size <= sizeof(f->bytes));
	reader.end = f->bytes + size;
	assert_true(wire_read(&reader, &map));
	assert_int_equal(map.kind, WIRE_MAP);
	assert_true(map.n <= 64);
	f->n_fields = map.n;
	for (size_t i = 0; i < map.n; i++) {
		assert_true(wire_read(&reader, &f->name[i]) && wire_read(&reader, &f->field[i]));
		pass_over(&reader, &f->field[i]);
	}
	assert_true(reader.at == reader.end);
	return true;
}

const struct wire_value *fixture_field(const char *name)
{
	for (size_t i = 0; i < fixture.n_fields; i++)
		if (wire_is(&fixture.name[i], name))
			return &fixture.field[i];
	fail_msg("there is no field %s", name);
	return NULL;
}

bool fixture_ask(const char *command, void (*more)(struct wire_writer *writer))
{
	struct fixture *f = &fixture;
	struct wire_writer writer;

	wire_init(&writer);
	wire_map(&writer);
	wire_put_whole(&writer, "v", MESSAGE_VERSION);
	wire_put_whole(&writer, "id", ++f->id);
	wire_put_text(&writer, "command", command);
	if (more)
		more(&writer);
	wire_end(&writer);
	assert_true(zmq_send(f->client, writer.bytes.data, writer.bytes.size, 0) > 0);
	wire_fini(&writer);
	if (!fixture_receive(f->client, 0))
		fail_msg("no answer to %s", command);
	assert_int_equal(fixture_field("id")->whole, f->id);
	return fixture_field("ok")->flag;
}

static void fail_with_error(const char *command)
{
	const struct wire_value *error = fixture_field("error");

	fail_msg("%s: %.*s", command, (int)error->n, error->text);
}

void fixture_do(const char *command, void (*more)(struct wire_writer *writer))
{
	if (!fixture_ask(command, more))
		fail_with_error(command);
}

void fixture_refused(const char *command, void (*more)(struct wire_writer *writer), const char *words)
{
	assert_false(fixture_ask(command, more));
	const struct wire_value *error = fixture_field("error");

	if (!memmem(error->text, error->n, words, strlen(words)))
		fail_with_error(command);
}

void fixture_subscribe(const char *topic)
{
	const int linger = 0;

	if (fixture.subscriber)
		zmq_close(fixture.subscriber);
	fixture.subscriber = zmq_socket(fixture.context, ZMQ_SUB);
	assert_int_equal(zmq_setsockopt(fixture.subscriber, ZMQ_LINGER, &linger, sizeof(linger)), 0);
	assert_int_equal(zmq_setsockopt(fixture.subscriber, ZMQ_SUBSCRIBE, topic, strlen(topic)), 0);
	assert_int_equal(zmq_connect(fixture.subscriber, fixture.telemetry), 0);
}

bool fixture_frame(int timeout_ms)
{
	const int timeout = timeout_ms ? timeout_ms : PATIENCE_MS;
	char topic[32];

	assert_int_equal(zmq_setsockopt(fixture.subscriber, ZMQ_RCVTIMEO, &timeout, sizeof(timeout)), 0);
	return zmq_recv(fixture.subscriber, topic, sizeof(topic), 0) >= 0 && fixture_receive(fixture.subscriber, 0);
}

void fixture_wait_for(const char *state)
{
	const int64_t until_ns = clock_now_ns() + PATIENCE_MS * INT64_C(1000000);

	do {
		fixture_do("status", NULL);
		if (wire_is(fixture_field("state"), state))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	} while (clock_now_ns() < until_ns);
	fail_msg("the state has not become %s", state);
}
