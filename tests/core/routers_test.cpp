// SPDX-License-Identifier: GPL-3.0-or-later
// Routers of the writes as far as they need no server: files, packets, programs, the plan's tables.
#include "core/plan/plan.h"
#include "core/traffic/command_router.h"
#include "core/traffic/dns_query.h"
#include "core/traffic/service_file.h"
#include "core/traffic/service_file_router.h"
#include "core/util/files.h"

#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>

using namespace tealdeck;
namespace fs = std::filesystem;

namespace {

constexpr Millis LIMIT{5000};

class Folder {
  public:
    Folder() : m_path(fs::temp_directory_path() / ("tealdeck-routers-" + randomHex(6))) { fs::create_directory(m_path); }
    ~Folder() {
        std::error_code none;
        fs::remove_all(m_path, none);
    }
    [[nodiscard]] fs::path file(const std::string& name) const { return m_path / name; }

  private:
    fs::path m_path;
};

TEST(ServiceFile, only_the_values_asked_for_change) {
    const std::string text = "# first\r\n[other]\nhost=o\nport=1\n\n[app]  \n  # inside\n\thost=old \nuser=u\nport=5432\nhost=second\n"
                             "[app]\nhost=shadowed\n[last]\nhost=l";
    const Result<std::string> changed = changeService(text, "app", {{"host", "new"}, {"port", "6000"}});
    ASSERT_TRUE(changed.ok());
    EXPECT_EQ(*changed, "# first\r\n[other]\nhost=o\nport=1\n\n[app]  \n  # inside\n\thost=new \nuser=u\nport=6000\nhost=second\n"
                        "[app]\nhost=shadowed\n[last]\nhost=l");
    EXPECT_EQ(*changeService(*changed, "app", {{"host", "old"}, {"port", "5432"}}), text);
    EXPECT_EQ(readService(text, "app")->at("host"), "old") << "libpq takes the first line of a key in the first section of a name";
    EXPECT_EQ(changeService(text, "none", {}).error().kind, Error::Kind::Conflict);
}

TEST(ServiceFile, what_was_not_there_goes_again) {
    for (const std::string text : {"[app]", "[app]\n", "[app]\nuser=u\n[b]\n", "x=1\n[app]\n#\n"}) {
        const Result<std::string> changed = changeService(text, "app", {{"host", "h"}, {"port", "1"}});
        ASSERT_TRUE(changed.ok()) << text;
        const auto values = readService(*changed, "app");
        EXPECT_EQ(values->at("host"), "h");
        EXPECT_EQ(values->at("port"), "1");
        const std::string back = *changeService(*changed, "app", {{"host", std::nullopt}, {"port", std::nullopt}});
        EXPECT_EQ(back, text == "[app]" ? "[app]\n" : text);
    }
}

TEST(ServiceFile, the_router_keeps_mode_and_other_bytes_and_gives_back_exactly) {
    const Folder folder;
    const fs::path real = folder.file("real.conf");
    const fs::path link = folder.file("pg_service.conf");
    const std::string before = "[x]\nhost=x\n# ours\n[shop]\nhost=b\nport=5001\ndbname=shop\n[audit]\nhost=b\nport=5001\n";
    ASSERT_TRUE(writeFileAtomically(real, before, 0640).ok());
    ASSERT_EQ(::chmod(real.c_str(), 0640), 0);
    fs::create_symlink(real, link);
    ServiceFileRouter router({"services", link.string(), {"shop", "audit"}, "b", 5001, "g", 5002});
    EXPECT_EQ(**router.target(LIMIT), Side::Blue);
    EXPECT_TRUE(router.obstacles(LIMIT).empty());
    const Result<Json> saved = router.save(LIMIT);
    ASSERT_TRUE(saved.ok());
    ASSERT_TRUE(router.shift(Side::Green, LIMIT).ok());
    EXPECT_EQ(**router.target(LIMIT), Side::Green);
    EXPECT_TRUE(fs::is_symlink(link));
    struct stat mode {};
    ASSERT_EQ(::stat(real.c_str(), &mode), 0);
    EXPECT_EQ(mode.st_mode & 0777U, 0640U);
    EXPECT_EQ(*readFile(real), "[x]\nhost=x\n# ours\n[shop]\nhost=g\nport=5002\ndbname=shop\n[audit]\nhost=g\nport=5002\n");
    // Somebody else's entry that came meanwhile stays.
    ASSERT_TRUE(writeFileAtomically(real, *readFile(real) + "[new]\nhost=n\n", 0640).ok());
    ASSERT_TRUE(router.restore(*saved, LIMIT).ok());
    EXPECT_EQ(*readFile(real), before + "[new]\nhost=n\n");
    // Half moved is no target, and a hostaddr would go before the host.
    ASSERT_TRUE(writeFileAtomically(real, "[shop]\nhost=g\nport=5002\n[audit]\nhost=b\nport=5001\n").ok());
    EXPECT_EQ(router.target(LIMIT).error().kind, Error::Kind::Conflict);
    ASSERT_TRUE(writeFileAtomically(real, "[shop]\nhost=b\nhostaddr=10.0.0.1\nport=5001\n[audit]\nhost=b\nport=5001\n").ok());
    EXPECT_FALSE(router.target(LIMIT).ok());
    EXPECT_FALSE(router.obstacles(LIMIT).empty());
}

/// An answer with one address, by hand.
std::string packet(std::uint16_t id, const std::string& name, const std::string& data, unsigned flags = 0x8400, std::uint16_t type = 1) {
    std::string bytes = dnsQuestion(id, name, DnsType::A);
    bytes[2] = static_cast<char>(flags >> 8U);
    bytes[3] = static_cast<char>(flags & 0xFFU);
    bytes[7] = 1;
    bytes += std::string("\xC0\x0C", 2) + '\0' + static_cast<char>(type) + std::string("\0\1\0\0\0\5\0", 7) +
             static_cast<char>(data.size()) + data;
    return bytes;
}

TEST(DnsQuery, reads_what_belongs_to_the_question_only) {
    const std::string good = packet(7, "Primary.Lab.Test.", std::string("\x7F\0\0\x0B", 4));
    const Result<DnsAnswer> answer = readDnsAnswer(good, 7, "primary.lab.test", DnsType::A);
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_EQ(answer->values, std::vector<std::string>{"127.0.0.11"});
    EXPECT_EQ(answer->ttl, 5);
    EXPECT_TRUE(answer->authoritative);
    EXPECT_FALSE(readDnsAnswer(good, 8, "primary.lab.test", DnsType::A).ok());
    EXPECT_FALSE(readDnsAnswer(good, 7, "other.lab.test", DnsType::A).ok());
    EXPECT_FALSE(readDnsAnswer(good, 7, "primary.lab.test", DnsType::Aaaa).ok());
    EXPECT_FALSE(readDnsAnswer(packet(7, "a.b", "12345"), 7, "a.b", DnsType::A).ok()) << "an address of five bytes";
    EXPECT_TRUE(readDnsAnswer(packet(7, "a.b", "1234", 0x8400, 5), 7, "a.b", DnsType::A)->values.empty()) << "another type";
    EXPECT_FALSE(readDnsAnswer(packet(7, "a.b", "1234", 0x8405), 7, "a.b", DnsType::A).ok()) << "refused";
    EXPECT_FALSE(readDnsAnswer(packet(7, "a.b", "1234", 0x8600), 7, "a.b", DnsType::A).ok()) << "cut off";
    EXPECT_TRUE(dnsQuestion(1, "a..b", DnsType::A).empty());
    EXPECT_TRUE(dnsQuestion(1, "", DnsType::A).empty());
    EXPECT_TRUE(dnsQuestion(1, std::string(64, 'a'), DnsType::A).empty());
}

TEST(DnsQuery, any_bytes_are_survived) {
    std::mt19937 random(4711);
    const std::string good = packet(7, "primary.lab.test", std::string("\x7F\0\0\x0B", 4));
    int read = 0;
    for (int i = 0; i < 50000; ++i) {
        std::string bytes = good.substr(0, i % 5 == 0 ? random() % (good.size() + 1) : good.size());
        for (unsigned changes = random() % 4; changes > 0 && !bytes.empty(); --changes) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        for (const DnsType type : {DnsType::A, DnsType::Cname}) {
            const Result<DnsAnswer> answer = readDnsAnswer(bytes, 7, "primary.lab.test", type);
            read += answer.ok() ? 1 : 0;
            EXPECT_TRUE(!answer.ok() || answer->values.size() < 3);
        }
    }
    EXPECT_GT(read, 1000);
}

TEST(CommandRouter, is_asked_in_json_and_believed_only_when_it_says_so) {
    const Folder folder;
    const fs::path program = folder.file("mover");
    const auto write = [&](const std::string& body) {
        ASSERT_TRUE(writeFileAtomically(program, "#!/bin/sh\nPATH=/usr/bin:/bin\nq=$(cat)\n" + body, 0755).ok());
    };
    Plan plan;
    plan.deployment = "shop";
    plan.blue.primary.host = "b";
    plan.green.primary.host = "g";
    const std::string state = folder.file("state").string();
    CommandRouter router({"mover", {program.string(), {"one two", "$(id)"}, {}, Millis(2000)}, "", 0}, plan);

    write("printf '%s' \"$q\" >" + folder.file("asked").string() + "\nprintf '%s|' \"$@\" >" + folder.file("arguments").string() +
          "\ncase \"$q\" in *'\"action\":\"shift\"'*) echo green >" + state + ";; esac\nprintf '{\"target\":\"%s\"}' \"$(cat " + state +
          ")\"\n");
    ASSERT_TRUE(writeFileAtomically(state, "blue").ok());
    EXPECT_EQ(**router.target(LIMIT), Side::Blue);
    EXPECT_EQ(*readFile(folder.file("arguments")), "one two|$(id)|") << "no shell has seen them";
    const std::optional<Json> asked = parseJson(*readFile(folder.file("asked")));
    ASSERT_TRUE(asked.has_value());
    EXPECT_EQ((*asked)["deployment"], "shop");
    EXPECT_EQ((*asked)["green"]["host"], "g");
    EXPECT_TRUE(router.shift(Side::Green, LIMIT).ok());
    EXPECT_EQ(**router.target(LIMIT), Side::Green);
    EXPECT_EQ(router.shift(Side::Blue, LIMIT).error().kind, Error::Kind::Conflict) << "exit code 0 alone moves nothing";

    write("echo 'password=hunter2secret broke' >&2\nexit 3\n");
    const Status failed = router.shift(Side::Blue, LIMIT);
    ASSERT_FALSE(failed.ok());
    EXPECT_NE(failed.error().message.find("exit code 3"), std::string::npos);
    EXPECT_EQ(failed.error().text().find("hunter2secret"), std::string::npos);
    EXPECT_FALSE(router.obstacles(LIMIT).empty());
    write("echo '{\"target\":\"mars\"}'\n");
    EXPECT_EQ(router.target(LIMIT).error().kind, Error::Kind::Conflict);
    ASSERT_EQ(::chmod(program.c_str(), 0777), 0);
    EXPECT_EQ(router.target(LIMIT).error().kind, Error::Kind::Refused) << "others could change it";
}

std::string planWith(const std::string& routers) {
    return "format = 1\n[deployment]\nname = \"d\"\ndatabases = [\"shop\"]\n[blue.primary]\nhost = \"b\"\nuser = \"u\"\n"
           "[green.primary]\nhost = \"g\"\nuser = \"u\"\n[replication]\nuser = \"r\"\n" +
           routers;
}

TEST(RouterPlan, every_kind_is_read) {
    const Result<Plan> plan = parsePlan(
        planWith("[[haproxy]]\nname = \"w\"\nrole = \"write\"\napi_host = \"lb\"\napi_port = 9999\nbackend = \"writes\"\n"
                 "blue_servers = [\"b\"]\ngreen_servers = [\"g\"]\nhost = \"lb\"\nport = 5432\nstate_file = \"/var/lib/haproxy/state\"\n"
                 "[[dns]]\nname = \"n\"\nserver = \"10.0.0.53\"\nzone = \"Db.Example.\"\nrecord = \"rw.db.example\"\nblue = "
                 "\"2001:DB8::1\"\ngreen = \"2001:db8:0::2\"\nkey_file = \"key\"\nclient_port = 5432\n"
                 "[[service_file]]\nname = \"s\"\nfile = \"/etc/pg_service.conf\"\nservices = [\"app\"]\n"
                 "[[router_command]]\nname = \"c\"\nprogram = \"/usr/local/bin/move\"\narguments = [\"x\"]\nenvironment = [\"PATH\"]\n"),
        "plan.toml", "/etc/deck");
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_TRUE(plan->haproxies.empty()) << "a balancer of writes takes no part in the ramp";
    EXPECT_EQ(plan->routers.haproxies.at(0).apiPort, 9999);
    EXPECT_EQ(plan->routers.dns.at(0).zone, "db.example");
    EXPECT_EQ(plan->routers.dns.at(0).blue, "2001:db8::1");
    EXPECT_EQ(plan->routers.dns.at(0).keyFile, "/etc/deck/key");
    EXPECT_EQ(plan->routers.serviceFiles.at(0).greenHost, "g");
    EXPECT_EQ(plan->routers.commands.at(0).program.arguments, std::vector<std::string>{"x"});
    EXPECT_EQ(makeWriteRouters(*plan).size(), 4U);
}

TEST(RouterPlan, mistakes_name_line_and_key) {
    const std::string haproxy =
        "[[haproxy]]\nname = \"w\"\nsocket = \"/s\"\nbackend = \"x\"\nblue_servers = [\"b\"]\ngreen_servers = [\"g\"]\n";
    const std::string dns = "[[dns]]\nname = \"n\"\nserver = \"s\"\nzone = \"db.example\"\nkey_file = \"k\"\n";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {haproxy + "role = \"both\"\n", "plan.toml:19: haproxy[1].role"},
        {"[[haproxy]]\nname = \"w\"\nrole = \"write\"\nsocket = \"/s\"\nbackend = \"x\"\nblue_servers = [\"a\", \"b\"]\ngreen_servers = "
         "[\"g\"]\n",
         "plan.toml:18: haproxy[1].blue_servers"},
        {haproxy + "api_host = \"h\"\n", "haproxy[1].api_host"},
        {dns + "record = \"rw.other\"\nblue = \"10.0.0.1\"\ngreen = \"10.0.0.2\"\n", "plan.toml:18: dns[1].record"},
        {dns + "record = \"rw.db.example\"\nblue = \"10.0.0.1\"\ngreen = \"::1\"\n", "plan.toml:20: dns[1].green"},
        {dns + "record = \"rw.db.example\\nupdate delete x\"\nblue = \"10.0.0.1\"\ngreen = \"10.0.0.2\"\n", "dns[1].record"},
        {dns + "record = \"rw db.example\"\nblue = \"10.0.0.1\"\ngreen = \"10.0.0.2\"\n", "dns[1].record"},
        {dns + "record = \"rw.db.example\"\nblue = \"a b\"\ngreen = \"10.0.0.2\"\n", "dns[1].blue"},
        {"[[router_command]]\nname = \"c\"\nprogram = \"move\"\n", "plan.toml:15: router_command[1].program"},
        {"[[router_command]]\nname = \"c\"\nprogram = \"/m\"\nenvironment = [\"A=1\"]\n", "router_command[1].environment"},
        {"[[router_command]]\nname = \"c\"\nprogram = \"/m\"\nhost = \"h\"\n", "router_command[1].host"},
        {haproxy + "[[router_command]]\nname = \"w\"\nprogram = \"/m\"\n", "router_command[1].name"},
        {"[[service_file]]\nname = \"s\"\nfile = \"f\"\nservices = [\"a]\"]\n", "service_file[1].services"},
        {"[[service_file]]\nname = \"s\"\nfile = \"f\"\nservices = [\"a\"]\ngreen_host = \"b\"\n", "service_file[1].green_host"},
    };
    for (const auto& [routers, place] : cases) {
        const Result<Plan> plan = parsePlan(planWith(routers), "plan.toml", "/");
        ASSERT_FALSE(plan.ok()) << routers;
        EXPECT_EQ(plan.error().kind, Error::Kind::Invalid);
        EXPECT_NE(plan.error().message.find(place), std::string::npos) << plan.error().message << "\nnot: " << place;
    }
}

} // namespace
