/* The service over a loop that ticks: what clients ask for, what they are answered, what is told. */
#include "control/support/service_fixture.h"

static int new (void **state)
{
	if (scratch_new(state))
		return -1;
	fixture_new(*state);
	return 0;
}

static int end(void **state)
{
	fixture_free();
	return scratch_free(state);
}

static void with_path(struct wire_writer *writer)
{
	wire_put_text(writer, "path", fixture.protocol_path);
}

static void with_samples(struct wire_writer *writer)
{
	wire_put_whole(writer, "n", 3);
}

static void with_many_samples(struct wire_writer *writer)
{
	wire_put_whole(writer, "n", 100000);
}

static void to_running(void)
{
	fixture_do("reset", NULL);
	fixture_wait_for("IDLE");
	fixture_do("arm", NULL);
	fixture_do("run", NULL);
	fixture_wait_for("RUNNING");
}

/* catches: an answer before the loop has taken the request, "ok" for what it refused, a state that is not the loop's */
static void the_answer_is_what_the_supervisor_made_of_the_request(void **state)
{
	(void)state;
	fixture_serve();
	fixture_wait_for("FAULT");
	fixture_refused("arm", NULL, "refused in state FAULT: ");
	fixture_refused("run", NULL, "FAULT");
	fixture_do("reset", NULL);
	assert_true(fixture_field("tick")->whole > 0);
	assert_true(wire_is(fixture_field("state"), "SAFE"));
	fixture_wait_for("IDLE");
	fixture_refused("run", NULL, "IDLE");
	/* What is answered holds from then on: no status says otherwise. */
	for (int i = 0; i < 50; i++) {
		fixture_do("arm", NULL);
		fixture_do("status", NULL);
		assert_true(wire_is(fixture_field("state"), "ARMED"));
		assert_int_equal(fixture_field("trip")->kind, WIRE_NIL);
		fixture_do("run", NULL);
		fixture_do("status", NULL);
		assert_true(wire_is(fixture_field("state"), "RUNNING"));
		fixture_do("stop", NULL);
		fixture_do("status", NULL);
		assert_true(wire_is(fixture_field("state"), "IDLE"));
	}
	/* The run file is told of each, by the id that the loop's events carry. */
	const struct notes notes = fixture_notes();

	assert_int_equal(notes.n_commands, 4 + 150);
	assert_string_equal(notes.command[0].command, "arm");
	assert_contains(notes.command[0].answer, "refused in state FAULT");
	assert_string_equal(notes.command[2].command, "reset");
	assert_string_equal(notes.command[2].answer, "ok");
	assert_true(notes.command[2].request > notes.command[0].request &&
		    notes.command[0].request >= SERVICE_FIRST_REQUEST);
}

/* catches: a trip that clients don't hear of, or with another cause; a reset taken while the cause lasts */
static void a_trip_is_told_with_its_cause(void **state)
{
	(void)state;
	fixture_serve();
	to_running();
	fixture_subscribe("event");
	/* Only once its subscription has arrived does it hear anything: events that cost nothing until it does. */
	do
		fixture_refused("arm", NULL, "");
	while (!fixture_frame(20));
	atomic_store(&fixture.fail, true);
	do
		assert_true(fixture_frame(0));
	while (!wire_is(fixture_field("kind"), "trip"));
	fixture_wait_for("FAULT");
	assert_int_equal(fixture_field("trip")->kind, WIRE_MAP);
}

/* catches: samples without their program, numbers that don't go up, a plan that ends unsaid, a program freed too early or never */
static void a_protocol_is_loaded_and_samples_are_told(void **state)
{
	uint64_t program;

	(void)state;
	fixture_serve();
	fixture_subscribe("sample");
	fixture_refused("sample", with_samples, "protocol");
	fixture_do("load-protocol", with_path);
	assert_int_equal(fixture_field("program")->whole, SERVICE_FIRST_PROGRAM + 1);
	fixture_do("sample", with_samples);
	program = fixture_field("program")->whole;
	to_running();
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(fixture_frame(0));
		assert_int_equal(fixture_field("number")->whole, i);
		assert_int_equal(fixture_field("seq")->whole, i);
		assert_int_equal(fixture_field("program")->whole, program);
		assert_int_equal(fixture_field("x")->n, TEST_SITES);
	}
	do
		fixture_do("status", NULL);
	while (!fixture_field("done")->flag);
	assert_int_equal(fixture_field("samples")->whole, 3);
	assert_int_equal(fixture_field("samples_wanted")->whole, 3);
	assert_int_equal(fixture_field("program")->whole, program);
	/* Swapped in the middle of another plan, as often as one likes. */
	for (int i = 0; i < 40; i++) {
		fixture_do("sample", with_many_samples);
		if (i % 3 == 0)
			fixture_do("load-protocol", with_path);
	}
	fixture_do("stop-sampling", NULL);
	fixture_do("status", NULL);
	assert_int_equal(fixture_field("samples_wanted")->whole, 0);
	const struct notes notes = fixture_notes();

	assert_int_equal(notes.program[0], SERVICE_FIRST_PROGRAM + 1);
	assert_int_equal(notes.program[1], program);
	assert_int_equal(notes.n_protocols, 2 + 40 + 14 + 1);
	assert_int_equal(notes.sample_program[0], program);
}

/* catches: a protocol handed over that the bench can't carry out; one half loaded that a later "sample" is made from */
static void a_protocol_that_does_not_fit_changes_nothing(void **state)
{
	const char *text;

	fixture_serve();
	text = scratch_write(*state, "text.h5", "not a protocol\n", 15);
	snprintf(fixture.protocol_path, sizeof(fixture.protocol_path), "%s", text);
	fixture_refused("load-protocol", with_path, "text.h5");
	snprintf(fixture.protocol_path, sizeof(fixture.protocol_path), "%s", fixture.scratch->folder);
	fixture_refused("load-protocol", with_path, "directory");
	/* A wall so stiff that the bench's loop can't hold it. */
	fixture.protocol.wall[0].stiffness = 1000;
	snprintf(fixture.protocol_path, sizeof(fixture.protocol_path), "%s", scratch_path(*state, "stiff.h5"));
	assert_int_equal(protocol_save(&fixture.protocol, fixture.protocol_path, &fixture.provenance, &fixture.err), 0);
	fixture_refused("load-protocol", with_path, "stiffness");
	fixture_refused("sample", with_samples, "protocol");
	fixture_do("status", NULL);
	assert_int_equal(fixture_field("program")->whole, SERVICE_FIRST_PROGRAM);
	assert_int_equal(fixture_field("protocol")->kind, WIRE_NIL);
}

/** Send a command without waiting for its answer. */
static void send_only(const char *command, uint64_t id, void (*more)(struct wire_writer *writer))
{
	struct wire_writer writer;

	wire_init(&writer);
	wire_map(&writer);
	wire_put_whole(&writer, "v", MESSAGE_VERSION);
	wire_put_whole(&writer, "id", id);
	wire_put_text(&writer, "command", command);
	if (more)
		more(&writer);
	wire_end(&writer);
	assert_true(zmq_send(fixture.client, writer.bytes.data, writer.bytes.size, 0) > 0);
	wire_fini(&writer);
}

/* catches: a service that stands still while a disk keeps a protocol waiting; a second load that piles up; samples of the old one */
static void while_a_protocol_is_loaded_everything_else_is_served(void **state)
{
	(void)state;
	fixture_serve();
	fixture_do("load-protocol", with_path);
	atomic_store(&fixture.slow_disk, true);
	send_only("load-protocol", 1000, with_path);
	to_running();
	fixture_refused("load-protocol", with_path, "another protocol is being loaded");
	fixture_refused("sample", with_samples, "a protocol is being loaded");
	fixture_do("stop-sampling", NULL);
	fixture_do("stop", NULL);
	fixture_do("status", NULL);
	assert_true(wire_is(fixture_field("state"), "IDLE"));
	atomic_store(&fixture.slow_disk, false);
	assert_true(fixture_receive(fixture.client, 0));
	assert_int_equal(fixture_field("id")->whole, 1000);
	assert_true(fixture_field("ok")->flag);
	fixture_do("sample", with_samples);
}

/* catches: a load that nobody is told of when the run ends over it, or memory that its thread uses after that */
static void a_load_that_the_end_of_the_run_finds_is_answered(void **state)
{
	(void)state;
	fixture_serve();
	atomic_store(&fixture.slow_disk, true);
	send_only("load-protocol", 1000, with_path);
	fixture_do("shutdown", NULL);
	assert_int_equal(fixture_join(), 0);
	atomic_store(&fixture.slow_disk, false);
	service_close(fixture.service);
	fixture.service = NULL;
	assert_true(fixture_receive(fixture.client, 0));
	assert_int_equal(fixture_field("id")->whole, 1000);
	assert_false(fixture_field("ok")->flag);
}

static void with_no_output(struct wire_writer *writer)
{
	wire_put_whole(writer, "output", 3);
	wire_put_real(writer, "volts", 0);
}

/** The service may go when its loop has. */
static void end_all(void)
{
	loop_stop(fixture.loop);
	assert_int_equal(fixture_join(), 0);
	service_close(fixture.service);
	fixture.service = NULL;
}

/* catches: samples and a status that name the program of the last event that found room */
static void without_events_samples_have_their_program_still(void **state)
{
	struct ring deaf;

	(void)state;
	assert_int_equal(ring_init(&deaf, sizeof(struct loop_event), 16, &fixture.err), 0);
	fixture.setup.events = &deaf;
	fixture_serve();
	send_only("load-protocol", 1000, with_path);
	do
		fixture_do("status", NULL);
	while (fixture_field("program")->whole != SERVICE_FIRST_PROGRAM + 1);
	fixture_subscribe("sample");
	send_only("reset", 1001, NULL);
	fixture_wait_for("IDLE");
	send_only("sample", 1002, with_many_samples);
	send_only("arm", 1003, NULL);
	send_only("run", 1004, NULL);
	assert_true(fixture_frame(0));
	assert_int_equal(fixture_field("program")->whole, SERVICE_FIRST_PROGRAM + 2);
	end_all();
	ring_fini(&deaf);
}

/* catches: one client that takes all the room there is for requests, a "stop" that is refused for it */
static void one_client_has_its_share_of_the_loop_and_no_more(void **state)
{
	struct ring deaf;

	(void)state;
	assert_int_equal(ring_init(&deaf, sizeof(struct loop_event), 16, &fixture.err), 0);
	fixture.setup.events = &deaf;
	fixture_serve();
	for (uint64_t i = 0; i < 8; i++)
		send_only("arm", 1000 + i, NULL);
	fixture_refused("arm", NULL, "8 of this client's commands");
	send_only("stop", 2000, NULL);
	zmq_close(fixture.client);
	fixture.client = zmq_socket(fixture.context, ZMQ_DEALER);
	assert_int_equal(zmq_setsockopt(fixture.client, ZMQ_LINGER, &(int){0}, sizeof(int)), 0);
	assert_int_equal(zmq_connect(fixture.client, fixture.commands), 0);
	send_only("reset", 3000, NULL);
	fixture_wait_for("IDLE");
	end_all();
	ring_fini(&deaf);
}

/* catches: a disk that a client fills with commands that come to nothing, and some of them gone without a word */
static void of_what_is_refused_a_few_are_written_down_and_the_rest_counted(void **state)
{
	unsigned long long n_left_out = 0, n;

	(void)state;
	fixture_serve();
	fixture_wait_for("FAULT");
	for (int i = 0; i < 40; i++)
		fixture_refused("manual", with_no_output, "output");
	fixture_do("shutdown", NULL);
	assert_int_equal(fixture_join(), 0);
	service_close(fixture.service);
	fixture.service = NULL;
	const struct notes notes = fixture_notes();
	size_t n_written = 0;

	for (size_t i = 0; i < notes.n_commands; i++)
		if (sscanf(notes.command[i].answer, "%llu more within a second", &n) == 1)
			n_left_out += n;
		else
			n_written++;
	assert_true(n_left_out > 0);
	assert_int_equal(n_written + n_left_out, 41);
}

static void with_output(struct wire_writer *writer)
{
	wire_put_whole(writer, "output", 0);
	wire_put_real(writer, "volts", 0.25);
}

static void with_narrow_limits(struct wire_writer *writer)
{
	wire_put_whole(writer, "output", 0);
	wire_put_real(writer, "min_V", -0.5);
	wire_put_real(writer, "max_V", 0.5);
}

static void with_wide_limits(struct wire_writer *writer)
{
	wire_put_whole(writer, "output", 0);
	wire_put_real(writer, "min_V", -0.75);
	wire_put_real(writer, "max_V", 0.5);
}

static void with_record(struct wire_writer *writer)
{
	wire_put_flag(writer, "on", true);
}

static void with_no_record(struct wire_writer *writer)
{
	wire_put_flag(writer, "on", false);
}

/* catches: a command handed to another's function, an output beyond the last one passed on, a recording that ends without a word of it */
static void volts_limits_and_recording_are_asked_for(void **state)
{
	(void)state;
	fixture_serve();
	fixture_refused("manual", with_output, "RUNNING");
	fixture_refused("manual", with_no_output, "output: expected one of 3");
	to_running();
	fixture_do("manual", with_output);
	fixture_do("limits", with_narrow_limits);
	fixture_refused("limits", with_wide_limits, "narrowed");
	fixture_do("record", with_record);
	const struct notes notes = fixture_notes();

	assert_true(notes.on);
	assert_string_equal(notes.command[notes.n_commands - 1].command, "record on=true");
	fixture_do("record", with_no_record);
	const struct notes then = fixture_notes();

	assert_true(!then.on && then.on_at_last);
	assert_int_equal(then.n_commands, notes.n_commands + 1);
	assert_string_equal(then.command[then.n_commands - 1].command, "record on=false");
	fixture_do("doctor", NULL);
	assert_true(wire_is(fixture_field("doctor"), "all is well\nso far"));
	do
		fixture_do("snapshot", NULL);
	while (fixture_field("trace")->kind == WIRE_NIL);
	assert_int_equal(fixture_field("trace")->kind, WIRE_MAP);
	assert_int_equal(fixture_field("out_role")->n, 3);
}

/* catches: a run without a recorder that crashes, or says that it records */
static void without_a_recorder_nothing_is_recorded(void **state)
{
	(void)state;
	fixture.setup.recorder = NULL;
	fixture_serve();
	fixture_refused("record", with_record, "folder");
	fixture_do("reset", NULL);
	fixture_do("status", NULL);
	assert_int_equal(fixture_field("recorder")->kind, WIRE_NIL);
	assert_int_equal(fixture_notes().n_commands, 0);
}

/* catches: topics that nobody publishes, numbers that repeat or jump for a subscriber that keeps up */
static void telemetry_is_numbered_without_gaps(void **state)
{
	static const char *const topics[] = {"status", "trace", "histogram"};

	(void)state;
	fixture_serve();
	for (size_t i = 0; i < 3; i++) {
		uint64_t before = 0;

		fixture_subscribe(topics[i]);
		for (int n = 0; n < 3; n++) {
			assert_true(fixture_frame(0));
			assert_int_equal(fixture_field("v")->whole, MESSAGE_VERSION);
			assert_true(n == 0 || fixture_field("seq")->whole == before + 1);
			before = fixture_field("seq")->whole;
		}
	}
	/* The status was followed for longer than attend()'s interval. */
	assert_true(atomic_load(&fixture.n_attended) > 0);
}

/* catches: an answer to garbage that is missing, or a service that ends over it; a log that garbage fills */
static void what_is_no_command_is_answered_and_forgotten(void **state)
{
	static const unsigned char garbage[] = {0xdd, 0xff, 0xff, 0xff, 0xff, 0xc1};

	(void)state;
	fixture_serve();
	for (int i = 0; i < 500; i++) {
		assert_true(zmq_send(fixture.client, garbage, 1 + (size_t)i % 6, i % 11 == 0 ? ZMQ_SNDMORE : 0) >= 0);
		if (i % 11 == 0)
			assert_true(zmq_send(fixture.client, garbage, 2, 0) >= 0);
		assert_true(fixture_receive(fixture.client, 0));
		assert_false(fixture_field("ok")->flag);
		assert_int_equal(fixture_field("id")->kind, WIRE_NIL);
	}
	fixture_do("status", NULL);
	assert_int_equal(fixture_field("malformed")->whole, 500);
	assert_int_equal(fixture_field("refused")->whole, 0);
	const struct notes notes = fixture_notes();

	assert_true(notes.n_commands >= 1 && notes.n_commands < 100);
	assert_string_equal(notes.command[0].command, "not understood");
}

/* catches: REQ sockets left without the empty part that they wait for */
static void a_request_socket_is_answered_too(void **state)
{
	const int linger = 0;

	(void)state;
	fixture_serve();
	zmq_close(fixture.client);
	fixture.client = zmq_socket(fixture.context, ZMQ_REQ);
	zmq_setsockopt(fixture.client, ZMQ_LINGER, &linger, sizeof(linger));
	assert_int_equal(zmq_connect(fixture.client, fixture.commands), 0);
	fixture_do("ping", NULL);
	fixture_do("reset", NULL);
}

/* catches: a service that goes on after shutdown, or ends before its answer is out */
static void shutdown_is_answered_and_ends_the_service(void **state)
{
	(void)state;
	fixture_serve();
	fixture_do("shutdown", NULL);
	assert_int_equal(fixture_join(), 0);
}

/* catches: a service that outlives its loop, or its time */
static void the_service_ends_with_its_loop_or_its_time(void **state)
{
	(void)state;
	fixture.setup.duration_s = 0.05;
	fixture_serve();
	assert_int_equal(fixture_join(), 0);
	service_close(fixture.service);
	zmq_close(fixture.client);
	fixture.setup.duration_s = 0;
	fixture_serve();
	loop_stop(fixture.loop);
	assert_int_equal(fixture_join(), 0);
}

/* catches: a port taken modulo 65536, a name without a folder's permissions that counts as this user's own, a wild card told as the port */
static void endpoints_are_what_they_are_said_to_be(void **state)
{
	static const char *const none[] = {"tcp://127.0.0.1:65536", "tcp://127.0.0.1:99999", "ipc://@jostle"};
	unsigned port;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fixture.setup.commands = none[i];
		assert_int_equal(service_open(&fixture.service, &fixture.setup, &fixture.err), JOSTLE_EINVAL);
	}
	fixture.setup.commands = "tcp://127.0.0.1:*";
	assert_int_equal(service_open(&fixture.service, &fixture.setup, &fixture.err), 0);
	assert_int_equal(sscanf(service_commands(fixture.service), "tcp://127.0.0.1:%u", &port), 1);
	assert_true(port > 0 && port < 65536);
	assert_string_equal(service_telemetry(fixture.service), fixture.telemetry);
}

/* catches: a bench that anybody in the network may drive; keys that are given by halves */
static void beyond_this_machine_keys_are_asked_for(void **state)
{
	struct service_setup *setup = &fixture.setup;
	struct err *err = &fixture.err;

	(void)state;
	setup->commands = "tcp://0.0.0.0:*";
	assert_int_equal(service_open(&fixture.service, setup, err), JOSTLE_EINVAL);
	assert_contains(err->text, "commands: ");
	setup->commands = fixture.commands;
	setup->telemetry = "tcp://0.0.0.0:*";
	assert_int_equal(service_open(&fixture.service, setup, err), JOSTLE_EINVAL);
	assert_contains(err->text, "telemetry: ");
	setup->telemetry = fixture.commands;
	assert_int_equal(service_open(&fixture.service, setup, err), JOSTLE_EBUSY);
	setup->telemetry = fixture.telemetry;
	assert_int_equal(curve_make("bench", scratch_path(fixture.scratch, "bench"), err), 0);
	setup->key_file = scratch_path(fixture.scratch, "bench.key");
	assert_int_equal(service_open(&fixture.service, setup, err), JOSTLE_EINVAL);
	assert_null(fixture.service);
}

static void use_keys(void *socket, const char *key_file)
{
	uint8_t secret[CURVE_KEY_BYTES];
	char text[CURVE_KEY_TEXT], public_text[CURVE_KEY_TEXT];
	struct curve_list server;

	assert_int_equal(curve_load_secret(secret, key_file, &fixture.err), 0);
	assert_int_equal(curve_list_load(&server, scratch_path(fixture.scratch, "bench.pub"), &fixture.err), 0);
	zmq_z85_encode(text, secret, sizeof(secret));
	zmq_curve_public(public_text, text);
	zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, text, sizeof(text));
	zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_text, sizeof(public_text));
	assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server.client[0].key, CURVE_KEY_BYTES), 0);
	curve_list_fini(&server);
}

/** A client with these keys, none where key_file is NULL: whether it is served. */
static bool is_served(const char *key_file)
{
	static const char ping[] = "\x83\xa1v\x01\xa2id\x07\xa7"
				   "command\xa4"
				   "ping";
	const int linger = 0;
	void *socket = zmq_socket(fixture.context, ZMQ_DEALER);
	bool served;

	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	if (key_file)
		use_keys(socket, key_file);
	assert_int_equal(zmq_connect(socket, fixture.commands), 0);
	assert_true(zmq_send(socket, ping, sizeof(ping) - 1, 0) > 0);
	served = fixture_receive(socket, 700);
	zmq_close(socket);
	return served;
}

/* catches: a client served that is on no list, or that speaks no CURVE; a name that does not reach the run file */
static void only_clients_on_the_list_are_served(void **state)
{
	struct scratch *scratch = *state;
	const int linger = 0;

	assert_int_equal(curve_make("bench", scratch_path(scratch, "bench"), &fixture.err), 0);
	assert_int_equal(curve_make("anna", scratch_path(scratch, "anna"), &fixture.err), 0);
	assert_int_equal(curve_make("eve", scratch_path(scratch, "eve"), &fixture.err), 0);
	char key_file[128], allow_file[128];

	snprintf(key_file, sizeof(key_file), "%s", scratch_path(scratch, "bench.key"));
	snprintf(allow_file, sizeof(allow_file), "%s", scratch_path(scratch, "anna.pub"));
	fixture.setup.key_file = key_file;
	fixture.setup.allow_file = allow_file;
	fixture.setup.telemetry = "tcp://0.0.0.0:*";
	fixture_serve();
	zmq_close(fixture.client);
	fixture.client = zmq_socket(fixture.context, ZMQ_DEALER);
	zmq_setsockopt(fixture.client, ZMQ_LINGER, &linger, sizeof(linger));
	use_keys(fixture.client, scratch_path(scratch, "anna.key"));
	assert_int_equal(zmq_connect(fixture.client, fixture.commands), 0);
	fixture_do("reset", NULL);
	const struct notes notes = fixture_notes();

	assert_string_equal(notes.command[0].client, "anna");
	assert_true(is_served(scratch_path(scratch, "anna.key")));
	assert_false(is_served(scratch_path(scratch, "eve.key")));
	assert_false(is_served(NULL));
	assert_true(is_served(scratch_path(scratch, "anna.key")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_answer_is_what_the_supervisor_made_of_the_request, new, end),
		cmocka_unit_test_setup_teardown(a_trip_is_told_with_its_cause, new, end),
		cmocka_unit_test_setup_teardown(a_protocol_is_loaded_and_samples_are_told, new, end),
		cmocka_unit_test_setup_teardown(a_protocol_that_does_not_fit_changes_nothing, new, end),
		cmocka_unit_test_setup_teardown(while_a_protocol_is_loaded_everything_else_is_served, new, end),
		cmocka_unit_test_setup_teardown(a_load_that_the_end_of_the_run_finds_is_answered, new, end),
		cmocka_unit_test_setup_teardown(without_events_samples_have_their_program_still, new, end),
		cmocka_unit_test_setup_teardown(one_client_has_its_share_of_the_loop_and_no_more, new, end),
		cmocka_unit_test_setup_teardown(of_what_is_refused_a_few_are_written_down_and_the_rest_counted, new,
						end),
		cmocka_unit_test_setup_teardown(volts_limits_and_recording_are_asked_for, new, end),
		cmocka_unit_test_setup_teardown(without_a_recorder_nothing_is_recorded, new, end),
		cmocka_unit_test_setup_teardown(telemetry_is_numbered_without_gaps, new, end),
		cmocka_unit_test_setup_teardown(what_is_no_command_is_answered_and_forgotten, new, end),
		cmocka_unit_test_setup_teardown(a_request_socket_is_answered_too, new, end),
		cmocka_unit_test_setup_teardown(shutdown_is_answered_and_ends_the_service, new, end),
		cmocka_unit_test_setup_teardown(the_service_ends_with_its_loop_or_its_time, new, end),
		cmocka_unit_test_setup_teardown(endpoints_are_what_they_are_said_to_be, new, end),
		cmocka_unit_test_setup_teardown(beyond_this_machine_keys_are_asked_for, new, end),
		cmocka_unit_test_setup_teardown(only_clients_on_the_list_are_served, new, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
