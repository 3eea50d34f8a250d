// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/cost.h"

#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace tealdeck {
namespace {

constexpr double HOURS_A_MONTH = 730;
constexpr double US_A_DAY = 24 * 3600e6;

std::vector<const Endpoint*> serversOf(const Environment& environment) {
    std::vector<const Endpoint*> servers{&environment.primary};
    for (const Endpoint& replica : environment.replicas) {
        servers.push_back(&replica);
    }
    return servers;
}

const InstanceClass* classOf(const CostPlan& cost, const Endpoint& server) {
    const auto it =
        std::find_if(cost.classes.begin(), cost.classes.end(), [&](const InstanceClass& c) { return c.name == server.instance; });
    return it == cost.classes.end() ? nullptr : &*it;
}

/// Price of a side for a day; std::nullopt, and why, when a server's is not known.
std::optional<double> perDay(const Plan& plan, Side side, std::vector<std::string>& missing) {
    double sum = 0;
    bool known = true;
    for (const Endpoint* server : serversOf(plan.side(side))) {
        const InstanceClass* priced = classOf(plan.cost, *server);
        if (priced == nullptr || priced->perHour <= 0) {
            missing.push_back(fmt::format("The price of {} {} is not in the plan.", sideName(side), server->name));
            known = false;
            continue;
        }
        if (server->storageGb > 0 && plan.cost.storageGbMonth <= 0) {
            missing.push_back(fmt::format("The price of {} {}'s storage is not in the plan.", sideName(side), server->name));
            known = false;
        }
        sum += priced->perHour * 24 + server->storageGb * plan.cost.storageGbMonth / HOURS_A_MONTH * 24;
    }
    return known ? std::optional<double>(sum) : std::nullopt;
}

std::set<std::string> zonesOf(const Environment& environment) {
    std::set<std::string> zones;
    for (const Endpoint* server : serversOf(environment)) {
        zones.insert(server->zone);
    }
    zones.erase("");
    return zones;
}

void compareServer(const CostPlan& cost, const Endpoint& blue, const Endpoint& green, std::vector<std::string>& breaks) {
    const InstanceClass* here = classOf(cost, blue);
    const InstanceClass* there = classOf(cost, green);
    if (here != nullptr && there != nullptr) {
        if (there->cpus < here->cpus) {
            breaks.push_back(fmt::format("{} has {} CPUs on green, {} on blue.", green.name, there->cpus, here->cpus));
        }
        if (there->memoryGb < here->memoryGb) {
            breaks.push_back(fmt::format("{} has {} GB of memory on green, {} on blue.", green.name, there->memoryGb, here->memoryGb));
        }
    }
    if (green.storageGb > 0 && green.storageGb < blue.storageGb) {
        breaks.push_back(fmt::format("{} has {} GB of disk on green, {} on blue.", green.name, green.storageGb, blue.storageGb));
    }
}

std::vector<std::string> brokenParity(const Plan& plan) {
    std::vector<std::string> breaks;
    const auto blue = serversOf(plan.blue);
    const auto green = serversOf(plan.green);
    for (std::size_t i = 0; i < std::min(blue.size(), green.size()); ++i) {
        compareServer(plan.cost, *blue[i], *green[i], breaks);
    }
    if (green.size() < blue.size()) {
        breaks.push_back(fmt::format("Green has {} replicas, blue {} (PAR10).", green.size() - 1, blue.size() - 1));
    }
    const std::set<std::string> there = zonesOf(plan.green);
    for (const std::string& zone : zonesOf(plan.blue)) {
        if (there.count(zone) == 0) {
            breaks.push_back(fmt::format("Green has no server in {} (PAR11).", zone));
        }
    }
    return breaks;
}

} // namespace

CostReport costOf(const Plan& plan, std::int64_t nowWallUs, std::int64_t beganWallUs) {
    CostReport report;
    report.currency = plan.cost.currency;
    if (report.currency.empty()) {
        return report;
    }
    report.bluePerDay = perDay(plan, Side::Blue, report.missing);
    report.greenPerDay = perDay(plan, Side::Green, report.missing);
    const std::int64_t since = plan.cost.sinceWallUs != 0 ? plan.cost.sinceWallUs : beganWallUs;
    if (since == 0) {
        report.missing.emplace_back("The plan does not tell since when green runs (cost.since).");
    }
    if (report.greenPerDay) {
        report.projected = *report.greenPerDay * plan.cost.expectedDays;
        if (since != 0) {
            report.soFar = *report.greenPerDay * std::max(0.0, static_cast<double>(nowWallUs - since) / US_A_DAY);
        }
        if (report.bluePerDay) {
            report.savedPerDay = *report.bluePerDay - *report.greenPerDay;
        }
    }
    report.breaks = brokenParity(plan);
    return report;
}

std::vector<std::string> costLines(const CostReport& report) {
    if (report.currency.empty()) {
        return {};
    }
    const auto money = [&](const std::optional<double>& amount) {
        return amount ? fmt::format("{:.2f} {}", *amount, plainText(report.currency, 10)) : std::string("unknown");
    };
    std::vector<std::string> lines;
    lines.push_back(fmt::format("cost of GREEN: {} a day, {} so far, {} projected", money(report.greenPerDay), money(report.soFar),
                                money(report.projected)));
    if (report.savedPerDay && *report.savedPerDay > 0) {
        lines.push_back(fmt::format("GREEN is smaller than BLUE and saves {} a day{}", money(report.savedPerDay),
                                    report.breaks.empty() ? "." : "; in exchange:"));
    }
    for (const std::vector<std::string>* list : {&report.breaks, &report.missing}) {
        for (const std::string& line : *list) {
            lines.push_back("  " + plainText(line));
        }
    }
    return lines;
}

} // namespace tealdeck
