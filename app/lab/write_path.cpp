// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/write_path.h"

#include "app/lab/sql_client.h"
#include "core/traffic/dns_query.h"
#include "core/util/files.h"

#include <cstdlib>

namespace tealdeck {
namespace {

constexpr Millis ANSWER_LIMIT{1000};

} // namespace

void WritePath::prepare(const LabState& lab) {
    if (lab.options.writeThrough == "service") {
        ::setenv("PGSERVICEFILE", lab.serviceFile().c_str(), 1);
    }
}

std::string WritePath::address() {
    const auto now = std::chrono::steady_clock::now();
    if (m_address.empty() || now >= m_until) {
        const Result<DnsAnswer> answer = askDns("127.0.0.1", m_lab.dnsPort, LAB_RECORD, DnsType::A, ANSWER_LIMIT);
        m_address = answer.ok() && !answer->values.empty() ? answer->values.front() : std::string();
        m_until = now + std::chrono::seconds(answer.ok() ? answer->ttl : 0);
    }
    return m_address;
}

std::map<std::string, std::string> WritePath::find(const std::string& database) {
    const std::string& through = m_lab.options.writeThrough;
    std::map<std::string, std::string> parameters = labConnection(m_lab, m_lab.writePort, "shop_app", database);
    if (through == "pgbouncer") {
        parameters["port"] = std::to_string(m_lab.poolers.at(static_cast<std::size_t>(m_index) % m_lab.poolers.size()).port);
        parameters["sslmode"] = "disable";
    } else if (through == "dns") {
        const std::string found = address();
        parameters["host"] = LAB_RECORD;
        parameters["hostaddr"] = found.empty() ? "127.0.0.1" : found;
        parameters["port"] = found.empty() ? "1" : parameters["port"];
    } else if (through == "service") {
        for (const char* key : {"host", "port", "dbname"}) {
            parameters.erase(key);
        }
        parameters["service"] = database;
    } else if (through == "command") {
        const bool green = readFile(m_lab.moverFile(), 64).valueOr("").rfind("green", 0) == 0;
        parameters["port"] = std::to_string(m_lab.primary(green ? Side::Green : Side::Blue).port);
    }
    parameters["application_name"] = "lab-load";
    return parameters;
}

} // namespace tealdeck
