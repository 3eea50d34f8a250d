// SPDX-License-Identifier: GPL-3.0-or-later
// Questions about the ways of the writes besides the poolers: the same for all kinds, each kind answers for itself.
#include "core/checks/catalogue.h"

#include <fmt/format.h>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

constexpr Millis LIMIT{3000};

WriteRouter& router(const CheckSubject& s) {
    return *s.sessions.routers().at(s.router);
}

CheckAnswer leadsToProduction(const CheckSubject& s) {
    const Result<std::optional<Side>> target = router(s).target(LIMIT);
    if (!target) {
        return target.error().kind == Error::Kind::Conflict ? CheckAnswer::fail(target.error().text())
                                                            : CheckAnswer::unknown(target.error().text());
    }
    const std::string found = fmt::format("{} leads to {}", router(s).what(), *target ? sideName(**target) : "nobody");
    return *target && **target == s.side ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

CheckAnswer canBeMoved(const CheckSubject& s) {
    return CheckAnswer::findings(router(s).obstacles(LIMIT));
}

CheckAnswer movesAtOnce(const CheckSubject& s) {
    return CheckAnswer::findings(router(s).weaknesses(LIMIT));
}

CheckAnswer productionAnswers(const CheckSubject& s) {
    const Result<std::optional<RouterEndpoint>> endpoint = router(s).endpoint(LIMIT);
    if (!endpoint) {
        return CheckAnswer::unknown(endpoint.error().text());
    }
    if (!*endpoint) {
        return CheckAnswer::pass("the plan names no endpoint to ask through");
    }
    const Result<std::string> found = identityThrough(s.plan().side(s.side).primary, s.plan().controlDatabase(), **endpoint, LIMIT);
    if (!found) {
        return CheckAnswer::fail(found.error().text());
    }
    const Result<Rows> own = s.sessions.query(s.side, "", "select system_identifier from pg_control_system()");
    if (!own) {
        return findingsOf(own);
    }
    const std::string text = fmt::format("{} answers at {}:{}", *found, (*endpoint)->host, (*endpoint)->port);
    return *found == own->text(0, 0) ? CheckAnswer::pass(text) : CheckAnswer::fail(text);
}

} // namespace

std::vector<CheckDefinition> writeRouterChecks() {
    const std::string family = "routers";
    return {
        {.id = "RTR01",
         .family = family,
         .scope = EachRouter,
         .when = Always,
         .question = "Does the router send writes to the side that is production?",
         .why = "If it leads elsewhere, the plan or the state is not what it seems.",
         .expected = "leads to the source alone",
         .fix = "Point it to production, or correct its blue and green in the plan.",
         .source = "asked of the balancer, the zone's own name server, the file or the program",
         .evaluate = leadsToProduction,
         .blocksRollback = false,
         .validForSeconds = 60},
        {.id = "RTR02",
         .family = family,
         .scope = EachRouter,
         .when = Always,
         .question = "Can the router be moved?",
         .why = "After the new primary has opened it is too late to find out that a key, a file or a program is wrong.",
         .expected = "an admin socket; a TSIG key that is ours alone and may update; a file that can be replaced; a program that is ours",
         .fix = "Mend what is named.",
         .source = "HAProxy management guide, 9.3; RFC 2136 and 8945; libpq, the connection service file",
         .evaluate = canBeMoved,
         .overridable = false},
        {.id = "RTR03",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachRouter,
         .when = Always,
         .question = "Do clients learn at once where the writes went, and does that last?",
         .why = "A long TTL leads clients to the fence for as long; a balancer that forgets its states leads them back at its next start.",
         .expected = "a TTL within the plan's, a state file for a balancer, an endpoint to ask through",
         .fix = "Lower the TTL one old TTL before the switch; give state_file, or host and port, in the plan.",
         .source = "RFC 1035, 3.2.1; HAProxy configuration manual, server-state-file",
         .evaluate = movesAtOnce,
         .blocksRollback = false},
        {.id = "RTR04",
         .family = family,
         .scope = EachRouter,
         .when = Always,
         .question = "Is production behind the endpoint that the clients use?",
         .why = "A second balancer, a forwarding rule or a wrong port between would stay where it is when the router moves.",
         .expected = "the source's system identifier, asked through the endpoint",
         .fix = "Correct the endpoint in the plan, or what stands between.",
         .source = "asked there: pg_control_system()",
         .evaluate = productionAnswers,
         .blocksRollback = false,
         .validForSeconds = 60},
    };
}

} // namespace tealdeck
