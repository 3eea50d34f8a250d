// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"

#include <chrono>
#include <map>
#include <string>

namespace tealdeck {

/// How one client of the lab finds the primary: each call looks again, as a client does that connects.
class WritePath {
  public:
    /// The index spreads clients over several poolers.
    WritePath(const LabState& lab, int index) : m_lab(lab), m_index(index) {}
    /// Tells libpq where the lab's service file is; before the clients' threads begin.
    static void prepare(const LabState& lab);
    /// libpq's parameters for shop_app. With the DNS the lab's own name server is asked, because libpq can't be told of another port than
    /// 53, and its answer is kept for its TTL, as a resolver does; an answer that does not come gives an address where nobody listens.
    std::map<std::string, std::string> find(const std::string& database);

  private:
    std::string address();

    const LabState& m_lab;
    int m_index;
    std::string m_address; ///< of the last answer
    std::chrono::steady_clock::time_point m_until{};
};

} // namespace tealdeck
