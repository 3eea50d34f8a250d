// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/copy_plan.h"
#include "core/plan/routers_plan.h"
#include "core/util/clock.h"
#include "core/util/result.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tealdeck {

/// The two environments of a deployment. They keep their names for ever; which of them is production moves.
enum class Side { Blue, Green };
inline Side otherSide(Side side) {
    return side == Side::Blue ? Side::Green : Side::Blue;
}
/// "blue" or "green".
const char* sideName(Side side);

/// How to reach one PostgreSQL server. Never holds a password: those come from the passfile, a certificate or the peer method.
struct Endpoint {
    std::string name; ///< unique in its side, [a-z0-9_-]; "primary" for the primary
    std::string host; ///< host name, address or folder of a Unix socket
    int port = 5432;
    std::string user;
    std::string database = "postgres"; ///< where to connect when no deployment database is meant
    std::string passfile;              ///< absolute; empty: libpq's own default
    std::string sslmode = "verify-full";
    std::string sslrootcert;
    std::string zone;     ///< availability zone, as the operator names it
    std::string instance; ///< name of an instance class of [cost]; empty: not told
    double storageGb = 0; ///< disk of the server; 0: not told
    std::string patroni;  ///< address of Patroni's REST interface, such as "http://10.0.0.5:8008"; empty: none
};

struct Environment {
    Endpoint primary;
    std::vector<Endpoint> replicas;
};

/// The role whose connections the servers make to each other, and how each server reaches the other. Files are paths on the servers.
struct ReplicationPlan {
    std::string user;
    std::string passfile; ///< on both server hosts; empty: none
    std::string sslmode = "verify-full";
    std::string sslrootcert; ///< on both server hosts
    /// As seen from the other server; empty host / port 0: the primary's own.
    std::string blueHost;
    int bluePort = 0;
    std::string greenHost;
    int greenPort = 0;
    /// Tables without a usable key get REPLICA IDENTITY FULL for the time of the deployment (restored afterwards).
    bool identityFull = true;
};

/// A PgBouncer instance on the way of the writes.
struct PgBouncerPlan {
    std::string name;
    std::string host; ///< address or Unix socket folder of the admin console
    int port = 6432;
    std::string user; ///< a member of admin_users
    std::string passfile;
    std::string sslmode = "prefer";
    std::string sslrootcert;
    std::string databasesFile;          ///< the %include file that holds only [databases]; the engine rewrites it
    std::vector<std::string> databases; ///< names at the pooler that belong to this deployment
    /// The primaries as the pooler reaches them, and as its databases file names them; empty / 0: as the plan's own host and port.
    std::string blueHost;
    int bluePort = 0;
    std::string greenHost;
    int greenPort = 0;
    /// A role that may log in through the pooler, to ask who is behind it after a switch; empty: that is not asked.
    std::string probeUser;
    /// Takes the new databases file to where the pooler reads it (JSON on standard input: action "push", router, to, file, content);
    /// without a program the pooler reads databasesFile itself.
    OwnProgram push;
};

struct RampPlan {
    std::vector<int> steps = {10, 20, 50, 100}; ///< percent of reads on green, rising, last 100
    Millis hold{60000};                         ///< time at each step before the next
    double maxLagSeconds = 1.0;                 ///< above it reads go back
    double maxErrorPercent = 1.0;               ///< failed sessions of green above it: reads go back
    double maxLatencyRatio = 3.0;               ///< green's p95 above so many times blue's (and 5 ms more): reads go back
};

struct CutoverPlan {
    Millis budget{2000};              ///< longest write pause, else back to the source
    Millis drain{1000};               ///< how long running transactions may take to end
    Millis kill{500};                 ///< how long ending the rest may take
    Millis receive{1000};             ///< how long the destination may take to show the marker
    std::int64_t sequenceGap = 10000; ///< values skipped beforehand, in increments
};

/// What an instance of a class costs and offers, as the operator's bill says.
struct InstanceClass {
    std::string name;
    double perHour = 0; ///< in the plan's currency
    double cpus = 0;
    double memoryGb = 0;
};

/// Prices of the duplicate environment. Without a currency the plan tells none.
struct CostPlan {
    std::string currency;
    double storageGbMonth = 0;    ///< one gigabyte for a month of 730 hours
    double expectedDays = 14;     ///< how long both environments are expected to run
    std::int64_t sinceWallUs = 0; ///< when green began to cost; 0: not told
    std::vector<InstanceClass> classes;
};

/// A question of the operator's own checklist that only a person can answer.
struct ManualItem {
    std::string id;       ///< [a-z0-9_-]
    std::string question; ///< yes is good
    std::string before;   ///< the command that it is for: "replicate", "cutover" or "rollback"
    std::string severity = "blocking";
    std::string why;
    std::string fix;
    double validHours = 0; ///< a sign-off that is older counts no more; 0: for ever
};

struct ProgramsPlan {
    std::string pgDump = "pg_dump";
    std::string pgRestore = "pg_restore";
};

/// Where the alarms begin.
struct AlarmPlan {
    double lagSeconds = 10;          ///< while reads are on GREEN the ramp's bound holds instead
    double retainedMib = 10240;      ///< WAL that one slot keeps back
    double walMib = 20480;           ///< size of pg_wal
    double transactionSeconds = 300; ///< age of the oldest open transaction
    double xidAgeMillions = 1000;    ///< of about 2147 at which a server stops taking writes
    double recordingFreeMib = 512;   ///< free space where the recording is written
};

/// How the data of both sides is compared.
struct VerifyPlan {
    int connections = 2;      ///< to each side, for one database at a time
    double rowsPerSecond = 0; ///< of the source, all connections together; 0: as fast as the servers can
    int chunkRows = 50000;    ///< rows in one statement
    Millis lock{0};           ///< how long an exact comparison may hold up the writers of a table; 0: never
    bool required = false;    ///< no switch without a comparison that found everything equal
    double validHours = 24;   ///< an older result counts no more
};

/// How changes of the schema are noticed.
struct DriftPlan {
    bool guard = true; ///< an event trigger on blue that records DDL; never hinders it
};

/// A program of the operator's that is run at a point of the runbook.
struct HookPlan {
    std::string name;
    std::string point;   ///< a step, such as "cutover.switch"; a command: replicate, ramp, cutover, …; after: also a phase, such as "validate"
    bool before = true;  ///< before: an exit code other than 0 vetoes what would follow; after: it is recorded
    std::string program; ///< absolute path; owned by root or the engine's user, writable by nobody else
    std::vector<std::string> arguments;   ///< as they are, no shell
    std::vector<std::string> environment; ///< names of the engine's variables that it may see; others it does not get
    Millis limit{10000};
};

/// What a deployment is: read from a TOML file, checked with the line of each error, never guessed.
struct Plan {
    std::filesystem::path file;
    std::string sha256;                 ///< of the file's bytes
    std::string deployment;             ///< [a-z0-9_]{1,32}
    std::vector<std::string> databases; ///< first one also holds the control tables
    std::filesystem::path engineFolder; ///< socket, recording and logs of the engine
    Environment blue;
    Environment green;
    ReplicationPlan replication;
    std::vector<std::string> readRoles; ///< may connect to both sides at all times; must not be able to write
    std::vector<PgBouncerPlan> pgbouncers;
    std::vector<HaproxyPlan> haproxies; ///< of the reads
    WriteRoutersPlan routers;           ///< of the writes, besides the poolers
    RampPlan ramp;
    CutoverPlan cutover;
    double rollbackWindowHours = 24;
    ProgramsPlan programs;
    AlarmPlan alarms;
    VerifyPlan verify;
    DriftPlan drift;
    CopyPlan copy;
    std::vector<HookPlan> hooks;
    CostPlan cost;
    std::vector<ManualItem> manualItems; ///< of the file that [checklist] names

    [[nodiscard]] const Environment& side(Side s) const { return s == Side::Blue ? blue : green; }
    [[nodiscard]] std::string controlDatabase() const { return databases.front(); }
};

/// Reads and checks a plan. The error names file, line, key and what is allowed.
Result<Plan> readPlan(const std::filesystem::path& file);
/// The same from text; relative paths are taken from baseFolder.
Result<Plan> parsePlan(const std::string& text, const std::filesystem::path& file, const std::filesystem::path& baseFolder);

} // namespace tealdeck
