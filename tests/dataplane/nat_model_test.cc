// SPDX-License-Identifier: BSD-3-Clause
//
// NAT against a model: random packets in both directions, time that passes, pool addresses that come and go.
//
// The model knows flows as they arrive, like the sessions themselves, but learns which external endpoint a
// mapping got by looking at what leaves. It says what must happen to each packet, or, where a session has
// just expired and may or may not have been swept, what may. Every frame that leaves is checked: where it
// leaves, octet by octet, its checksums, and that no inside address shows outside (B60, B61, B63, B65, B70,
// B71, B80, B83, B87).
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include "tests/dataplane/nat_model.h"
#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

class Model {
 public:
  Model(unsigned workers, unsigned seed)
      : workers_(workers), seed_(seed), random_(seed), home_(plan(true), {.workers = workers}) {}

  void run(unsigned steps) {
    while (step_ < steps && !failed()) step();
    if (!failed()) let_all_go();
  }

 private:
  // ---- chance

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool chance(unsigned in_thousand) { return below(1000) < in_thousand; }
  Endpoint any_inside() {
    static constexpr unsigned kPorts[] = {900, 1500, 5000, 5001, 5064, 6000};
    return {"192.168.10." + std::to_string(2 + below(8)), kPorts[below(6)]};
  }
  Endpoint any_remote() {
    static constexpr unsigned kPorts[] = {53, 80, 4000};
    return {"198.51.100." + std::to_string(1 + below(5)), kPorts[below(3)]};
  }
  Protocol any_protocol() { return static_cast<Protocol>(below(kProtocols)); }
  unsigned any_queue() { return below(workers_); }
  const Session* any_session() {
    if (sessions_.empty()) return nullptr;
    const Session& session = sessions_[below(static_cast<unsigned>(sessions_.size()))];
    const bool is_live = now_s_ < session.deadline_s && &session == find_session(session.arriving[0]);
    return is_live && known(session) == Known::yes ? &session : nullptr;
  }
  Frame any_data() {
    Frame data(below(40));
    for (uint8_t& octet : data) octet = static_cast<uint8_t>(random_());
    return data;
  }

  // ---- packets

  Body any_body() {
    return {any_data(), static_cast<uint16_t>(random_()), static_cast<uint8_t>(chance(300) ? 0x02 : 0x10)};
  }
  static PacketBuilder packet(const Flow& flow, const Body& body) {
    const std::string source = flow.source.text(), destination = flow.destination.text();
    const bool asks = flow.source.is_inside() || flow.source.address.starts_with("203.0.113.") ||
                      flow.source.address == kNeverLeaves;
    const auto id = static_cast<uint16_t>(flow.source.port);
    PacketBuilder made = flow.protocol == kUdp   ? udp(source, destination)
                         : flow.protocol == kTcp ? tcp(source, destination)
                         : asks ? echo_request(flow.source.address, flow.destination.address, id)
                                : echo_reply(flow.source.address, flow.destination.address, id);
    return made.data(body.data).id(body.id).flags(body.tcp_flags);
  }

  std::map<std::string, Frames> collect() {
    std::map<std::string, Frames> all;
    for (const char* port : {"lan", "dmz", "wan", "alt"}) {
      all[port] = home_.router().sent(port);
      for (const Frame& frame : all[port]) {
        const std::string sentence = told(frame);
        if (sentence.find("BAD") != std::string::npos)
          fail("a broken packet left by " + std::string(port) + ": " + sentence);
        const bool shows_inside =
            frame.size() >= 34 && frame[26] == 192 && frame[27] == 168 && frame[28] == 10;
        if (port == std::string("wan") && shows_inside) fail("a private source left: " + sentence);
      }
    }
    return all;
  }

  // ---- the model

  Session* find_session(const Flow& flow) {
    const auto found = by_flow_.find(flow);
    if (found == by_flow_.end()) return nullptr;
    Session& session = sessions_[found->second];
    const bool is_its = session.arriving[0] == flow || session.arriving[1] == flow;
    return is_its && now_s_ < session.deadline_s && known(session) != Known::no ? &session : nullptr;
  }
  /// Whether a session that has not expired is there: what strangers opened goes with its mapping.
  [[nodiscard]] Known known(const Session& session) const {
    if (session.came_by == 0) return Known::yes;
    const auto found = by_inside_.find({session.arriving[0].protocol, session.arriving[1].source});
    const bool is_its = found != by_inside_.end() && found->second.outside == session.arriving[0].destination;
    if (!is_its) return Known::no;
    // It was made anew: perhaps just so that the session did not notice.
    return found->second.number != session.came_by ? Known::perhaps : known(found->second);
  }
  Mapping* mapping_of(Protocol protocol, const Endpoint& inside) {
    const auto found = by_inside_.find({protocol, inside});
    return found == by_inside_.end() ? nullptr : &found->second;
  }
  Mapping* mapping_by(Protocol protocol, const Endpoint& outside) {
    for (auto& [key, mapping] : by_inside_) {
      if (key.first == protocol && mapping.outside == outside && known(mapping) != Known::no) return &mapping;
    }
    return nullptr;
  }
  [[nodiscard]] Known known(const Mapping& mapping) const {
    return test::known(mapping.until_s, mapping.perhaps_s, now_s_);
  }
  [[nodiscard]] bool in_pool(const std::string& address) const {
    return address == "203.0.113.10" || address == "203.0.113.11" || (with_third_ && address == kNeverLeaves);
  }

  /// Where a flow without a session is to go, and whether it may.
  struct Way {
    Known may;
    Endpoint destination;
    Mapping* mapping = nullptr;  ///< that leads there
  };
  Way way_of(const Flow& flow) {
    const Endpoint& to = flow.destination;
    if (to.address.starts_with("198.51.100.")) return {Known::yes, to};
    // An answer opens nothing.
    if (flow.protocol == kEcho && !flow.source.is_inside()) return {Known::no, to};
    if (to.address == kServerOutside) return {Known::yes, {kServer, to.port}};
    if (flow.protocol == kTcp && to.port == 8080 && in_pool(to.address))
      return {Known::yes, {"192.168.10.20", 80}};
    Mapping* mapping = in_pool(to.address) ? mapping_by(flow.protocol, to) : nullptr;
    if (mapping == nullptr) return {Known::no, to};
    Known may = known(*mapping);
    if (!flow.source.is_inside()) {
      const auto permit = permits_.find({flow.protocol, to, flow.source.address});
      const Known permitted =
          permit == permits_.end() ? Known::no : test::known(permit->second, permit->second, now_s_);
      if (permitted == Known::no) may = Known::no;
      if (permitted == Known::perhaps && may == Known::yes) may = Known::perhaps;
    }
    return {may, mapping->inside, mapping};
  }

  /// What the source becomes, if that can be said beforehand.
  std::optional<Endpoint> fixed_source(const Flow& flow) {
    if (!flow.source.is_inside()) return flow.source;
    if (flow.source.address == kServer) return Endpoint{kServerOutside, flow.source.port};
    if (flow.protocol == kTcp && flow.source.text() == kWeb) return Endpoint{"203.0.113.10", 8080};
    return std::nullopt;
  }

  void keep(Mapping& mapping, unsigned deadline_s) {
    mapping.until_s = std::max(mapping.until_s, deadline_s);
    mapping.perhaps_s = std::max(mapping.perhaps_s, deadline_s);
  }

  /// A packet of a session arrives.
  void note(Session& session, unsigned direction) {
    const bool outbound = session.arriving[direction].source.is_inside();
    if (outbound) session.came_by = 0;
    if (session.arriving[0].protocol != kTcp && !outbound) return;
    const unsigned deadline_s = now_s_ + kTimeout_s[session.arriving[0].protocol];
    session.deadline_s = std::max(session.deadline_s, deadline_s);
    hold(session);
  }
  /// What a session uses stays as long as it does.
  void hold(const Session& session) {
    if (session.came_by != 0) return;
    const Protocol protocol = session.arriving[0].protocol;
    const Endpoint& first = session.arriving[0].source;
    Mapping* mine = mapping_of(protocol, first.is_inside() ? first : session.arriving[1].source);
    const Endpoint& outside =
        first.is_inside() ? session.arriving[1].destination : session.arriving[0].destination;
    if (mine != nullptr && mine->outside == outside) {
      keep(*mine, session.deadline_s);
      unsigned& permit = permits_[{protocol, outside, session.arriving[0].destination.address}];
      if (first.is_inside()) permit = std::max(permit, session.deadline_s);
    }
    if (!session.is_hairpin()) return;
    Mapping* other = mapping_of(protocol, session.arriving[1].source);
    if (other == nullptr || other->outside != session.arriving[0].destination) return;
    keep(*other, session.deadline_s);
  }

  void open(const Flow& flow, const Flow& leaving, const Mapping* by) {
    const unsigned came_by = by == nullptr || flow.source.is_inside() ? 0 : by->number;
    sessions_.push_back({{flow, leaving.reversed()}, now_s_ + kTimeout_s[flow.protocol], came_by});
    by_flow_[flow] = by_flow_[leaving.reversed()] = sessions_.size() - 1;
    hold(sessions_.back());
  }

  /// A new mapping was seen: what may it not be?
  void map(const Flow& flow, const Endpoint& outside) {
    Mapping* old = mapping_of(flow.protocol, flow.source);
    if (old != nullptr && old->outside == outside && known(*old) != Known::no) {
      old->until_s = now_s_;
      old->number = ++mappings_made_;
      return;  // hold() does the rest
    }
    if (!in_pool(outside.address)) return fail(outside.text() + " is not in the pool");
    std::string& paired = paired_[{with_third_, flow.source.address}];
    if (paired.empty()) paired = outside.address;
    if (paired != outside.address) fail(outside.text() + " is not the host's address, " + paired);
    const Mapping* taken = mapping_by(flow.protocol, outside);
    if (taken != nullptr && known(*taken) == Known::yes)
      fail(outside.text() + " belongs to " + taken->inside.text());
    if (flow.protocol != kEcho && (outside.port < 1024) != (flow.source.port < 1024))
      fail(outside.text() + " is of the other class");
    if (flow.protocol == kTcp && outside.port == 8080) fail("a reserved port was given out");
    const Mapping* same = mapping_by(flow.protocol, {outside.address, flow.source.port});
    if (workers_ == 1 && same == nullptr && outside.port != flow.source.port)
      fail(outside.text() + ": the port was free and was not kept");
    if (taken != nullptr) by_inside_.erase({flow.protocol, taken->inside});
    by_inside_[{flow.protocol, flow.source}] = {flow.source, outside, now_s_, now_s_, ++mappings_made_};
  }

  // ---- steps

  /// Whether it may have gone with its mapping, or not yet.
  [[nodiscard]] bool is_doubtful(const Session* session) const {
    return session != nullptr && known(*session) == Known::perhaps;
  }

  /// One packet; `lenient`: it may be lost.
  void send(const Flow& flow, bool lenient = false) {
    while (is_doubtful(find_session(flow))) pass(1);
    const Body body = any_body();
    log(flow.text());
    home_.send(flow.port(), packet(flow, body), any_queue());
    const auto sent = collect();
    if (Session* session = find_session(flow)) {
      const unsigned direction = session->arriving[0] == flow ? 0 : 1;
      note(*session, direction);
      return expect(sent, session->leaving(direction), body);
    }
    Way way = way_of(flow);
    // From outside nothing but a SYN opens a connection.
    const bool opens = flow.protocol != kTcp || flow.source.is_inside() || (body.tcp_flags & 0x02) != 0;
    if (!opens) way.may = Known::no;
    size_t frames = 0;
    for (const auto& [port, list] : sent) frames += list.size();
    const bool may_be_lost = lenient || way.may != Known::yes;
    if (frames == 0 && may_be_lost) return;
    // What is for an address that is ours no more goes back to where it came from.
    if (way.may == Known::no && flow.destination.address == kNeverLeaves && !with_third_ &&
        sent.at("lan").empty())
      return;
    if (way.may == Known::no) return fail("it was let through: " + told_all(sent));
    Flow leaving{flow.protocol, {}, way.destination};
    const std::string to = way.destination.is_inside() ? "lan" : "wan";
    if (const Session* other = in_the_way(flow, way.destination)) {
      if (frames == 1 && sent.at(flow.port()).size() == 1 &&
          told(sent.at(flow.port())[0]).find("error 3/13") != std::string::npos)
        return;
      if (way.may == Known::yes && !is_doubtful(other))
        return fail("beside " + other->text() + " it was let through: " + told_all(sent));
    }
    if (sent.at(to).size() != 1) return fail("it did not leave by " + to + ": " + told_all(sent));
    leaving.source = source_seen(flow, sent.at(to)[0]);
    // An echo has one identifier, that of its source.
    if (flow.protocol == kEcho && flow.source.is_inside()) leaving.destination.port = leaving.source.port;
    if (flow.protocol == kEcho && !flow.source.is_inside()) leaving.source.port = way.destination.port;
    expect(sent, leaving, body);
    if (!failed()) open(flow, leaving, way.mapping);
  }

  /// The session that answers to the flow, as it would leave, belong to if it is another: two external ports
  /// of one forward, say, asked by the same remote port. Then it is refused.
  const Session* in_the_way(const Flow& flow, const Endpoint& destination) {
    std::optional<Endpoint> source = fixed_source(flow);
    const Mapping* mapping = mapping_of(flow.protocol, flow.source);
    if (!source && mapping != nullptr && known(*mapping) != Known::no) source = mapping->outside;
    if (!source || flow.protocol == kEcho) return nullptr;
    return find_session({flow.protocol, destination, *source});
  }

  Endpoint source_seen(const Flow& flow, const Frame& frame) {
    if (const auto fixed = fixed_source(flow)) return *fixed;
    Endpoint seen;
    for (int i = 26; i < 30; ++i)
      seen.address += (i == 26 ? "" : ".") + std::to_string(frame[static_cast<size_t>(i)]);
    const size_t at = flow.protocol == kEcho ? 38 : 34;
    seen.port = static_cast<unsigned>(frame.at(at) << 8 | frame.at(at + 1));
    const Mapping* mapping = mapping_of(flow.protocol, flow.source);
    if (mapping != nullptr && known(*mapping) == Known::yes) {
      if (mapping->outside != seen)
        fail(seen.text() + " is not what the others see, " + mapping->outside.text());
    } else {
      map(flow, seen);
    }
    return seen;
  }

  void expect(const std::map<std::string, Frames>& sent, const Flow& leaving, const Body& body) {
    const std::string to = leaving.destination.is_inside() ? "lan" : "wan";
    const Frame wanted = home_.framed(to, packet(leaving, body).ttl(63));
    for (const auto& [port, frames] : sent) {
      if (frames == (port == to ? Frames{wanted} : Frames())) continue;
      return fail("expected " + told(wanted) + " by " + to + ", seen: " + told_all(sent));
    }
  }

  void send_error() {
    const Session* session = any_session();
    if (session == nullptr) return;
    const unsigned direction = below(2);
    const Flow arriving = session->arriving[direction], leaving = session->leaving(direction);
    const Body body = any_body();
    size_t octets = 28 + below(30);
    if (octets == 37) ++octets;  // half of a TCP checksum cannot be mended
    const auto quote = [&](const Flow& flow, bool bad) {
      PacketBuilder quoted = packet(flow.reversed(), body);
      if (bad) quoted.bad_ip_checksum();
      return quoted.ttl(57).packet();
    };
    const bool bad = chance(100);
    const std::string from = arriving.port(), to = leaving.destination.is_inside() ? "lan" : "wan";
    const std::string reporter = chance(500)     ? arriving.source.address
                                 : from == "lan" ? "192.168.10.39"
                                                 : "192.0.2.99";
    log("error by " + reporter + " to " + arriving.text() + (bad ? " bad" : ""));
    home_.send(from, icmp_error(reporter, arriving.destination.address, 3, 3, quote(arriving, bad), octets),
               any_queue());
    const auto sent = collect();
    const auto wanted =
        home_.framed(to, icmp_error(hides_source(arriving, leaving) ? leaving.source.address : reporter,
                                    leaving.destination.address, 3, 3, quote(leaving, false), octets)
                             .ttl(63));
    for (const auto& [port, frames] : sent) {
      if (frames != (port == to && !bad ? Frames{wanted} : Frames()))
        return fail("expected " + told(wanted) + ", seen: " + told_all(sent));
    }
  }

  /// Many packets of sessions in one burst.
  void storm() {
    const std::string from = chance(500) ? "lan" : "wan";
    Frames burst;
    std::map<std::string, std::multiset<Frame>> wanted;
    for (int i = 0; i < 16; ++i) {
      const Session* session = any_session();
      if (session == nullptr) continue;
      const unsigned direction = below(2);
      if (session->arriving[direction].port() != from) continue;
      const Body body = any_body();
      const Flow leaving = session->leaving(direction);
      const std::string to = leaving.destination.is_inside() ? "lan" : "wan";
      burst.push_back(home_.arriving(from, packet(session->arriving[direction], body)));
      wanted[to].insert(home_.framed(to, packet(leaving, body).ttl(63)));
      note(*find_session(session->arriving[0]), direction);
    }
    log("storm of " + std::to_string(burst.size()) + " from " + from);
    home_.router().receive_burst(from, burst, any_queue());
    step_ += static_cast<unsigned>(burst.size());
    const auto sent = collect();
    for (const auto& [port, frames] : sent) {
      if (std::multiset<Frame>(frames.begin(), frames.end()) != wanted[port])
        return fail("a burst came out wrong: " + told_all(sent));
    }
  }

  void send_nonsense() {
    const std::string inside = any_inside().text(), remote = any_remote().text();
    const std::string host = inside.substr(0, inside.find(':'));
    log("nonsense from " + inside);
    switch (below(5)) {
      case 0:
        home_.send("lan", ip(47, host, "198.51.100.9"), any_queue());
        break;
      case 1:
        home_.send("lan", udp(inside, remote).data(100).id(static_cast<uint16_t>(random_())).part(64, 40),
                   any_queue());
        break;
      case 2:
        home_.send("wan", udp(remote, inside), any_queue());
        break;
      case 3:
        home_.send("wan",
                   icmp_error("192.0.2.99", "203.0.113.10", 3, 3,
                              udp("203.0.113.10:77", "198.51.100.200:9").packet()),
                   any_queue());
        break;
      case 4:
        home_.send("lan", tcp(inside, "198.51.100.77:80").flags(0x04), any_queue());
        break;
    }
    const auto sent = collect();
    for (const auto& [port, frames] : sent) {
      if (!frames.empty()) return fail("it was let through: " + told_all(sent));
    }
  }

  void send_hairpin() {
    const Flow flow{static_cast<Protocol>(below(2)), any_inside(), any_external()};
    if (flow.destination.address != kNeverLeaves || with_third_) send(flow);
  }
  Endpoint any_external() {
    if (chance(150)) return {chance(500) ? "203.0.113.10" : "203.0.113.11", 8080};
    if (chance(100)) return {kServerOutside, 80};
    if (chance(100) || by_inside_.empty()) return {"203.0.113.11", 1024 + below(60000)};
    auto mapping = by_inside_.begin();
    std::advance(mapping, below(static_cast<unsigned>(by_inside_.size())));
    return mapping->second.outside;
  }

  void send_more() {
    const Session* session = any_session();
    if (session != nullptr) send(Flow(session->arriving[below(2)]));
  }

  void pass(unsigned seconds) {
    log("pass " + std::to_string(seconds));
    home_.pass(seconds);
    now_s_ += seconds;
    collect();
    if (sessions_.size() > 4000) forget_the_dead();
  }
  void forget_the_dead() {
    std::vector<Session> living;
    for (const Session& session : sessions_) {
      if (find_session(session.arriving[0]) == &session) living.push_back(session);
    }
    by_flow_.clear();
    sessions_ = std::move(living);
    for (size_t i = 0; i < sessions_.size(); ++i)
      by_flow_[sessions_[i].arriving[0]] = by_flow_[sessions_[i].arriving[1]] = i;
  }

  void reload() {
    with_third_ = !with_third_;
    log(with_third_ ? "reload with" : "reload without");
    home_.reload(plan(with_third_));
    if (with_third_) return;
    std::vector<Flow> ended;
    for (Session& session : sessions_) {
      if (!session.shows(kNeverLeaves)) continue;
      if (now_s_ < session.deadline_s) ended.push_back(session.arriving[0]);
      session.deadline_s = 0;
    }
    // What the ended ones alone held may be gone.
    for (auto& [key, mapping] : by_inside_) mapping.until_s = 0;
    for (const Session& session : sessions_) {
      if (find_session(session.arriving[0]) == &session) hold(session);
    }
    std::erase_if(by_inside_, [](const auto& item) { return item.second.outside.address == kNeverLeaves; });
    std::erase_if(permits_, [](const auto& item) { return std::get<1>(item.first).address == kNeverLeaves; });
    // The first packets find their session at an end: they may be lost, but must not leave by the old
    // address.
    for (size_t i = 0; i < std::min<size_t>(ended.size(), 5); ++i) {
      if (ended[i].source.is_inside() && ended[i].destination.address != kNeverLeaves) send(ended[i], true);
    }
    pass(kSweep_s);
  }

  /// What the sessions themselves say: an external endpoint belongs to one inside endpoint.
  void inspect() {
    std::map<std::pair<Protocol, Endpoint>, Endpoint> owner;
    const auto endpoint = [](dataplane::Ip4 address, uint16_t port) {
      std::string text;
      for (int shift = 24; shift >= 0; shift -= 8)
        text += (text.empty() ? "" : ".") + std::to_string(address >> shift & 255);
      return Endpoint{text, port};
    };
    const auto claim = [&](Protocol protocol, const Endpoint& outside, const Endpoint& inside) {
      if (outside.is_inside() || !inside.is_inside()) return;
      if (protocol == kTcp && outside.port == 8080) return;
      const auto [known, is_new] = owner.emplace(std::pair(protocol, outside), inside);
      if (!is_new && known->second != inside)
        fail(outside.text() + " belongs to " + known->second.text() + " and to " + inside.text());
    };
    for (const control::SessionView& view : home_.router().runtime().sessions({})) {
      if ((view.session.flags & dataplane::kUnanswered) != 0) continue;  // a stray holds nothing
      const auto& first = view.session.arriving(0);
      const auto& second = view.session.arriving(1);
      const Protocol protocol = first.protocol == 17 ? kUdp : first.protocol == 6 ? kTcp : kEcho;
      claim(protocol, endpoint(second.destination, second.destination_port),
            endpoint(first.source, first.source_port));
      if (protocol != kEcho && workers_ == 1)
        claim(protocol, endpoint(first.destination, first.destination_port),
              endpoint(second.source, second.source_port));
    }
  }

  void step() {
    ++step_;
    const unsigned kind = below(1000);
    if (kind < 300) {
      const Protocol protocol = any_protocol();
      Flow flow{protocol, any_inside(), any_remote()};
      if (protocol == kEcho) flow.destination.port = flow.source.port;
      send(flow);
    } else if (kind < 620) {
      send_more();
    } else if (kind < 720) {
      const Flow flow{any_protocol(), any_remote(), any_external()};
      if (flow.protocol == kEcho)
        return send({kEcho, {flow.source.address, flow.destination.port}, flow.destination});
      send(flow);
    } else if (kind < 790) {
      send_error();
    } else if (kind < 870) {
      send_hairpin();
    } else if (kind < 890) {
      send({kTcp, any_remote(), {chance(500) ? "203.0.113.10" : "203.0.113.11", 8080}});
    } else if (kind < 910) {
      send({static_cast<Protocol>(below(2)), {kServer, any_inside().port}, any_remote()});
    } else if (kind < 915) {
      send({kTcp, {"192.168.10.20", 80}, any_remote()});
    } else if (kind < 955) {
      storm();
    } else if (kind < 980) {
      send_nonsense();
    } else if (kind < 997) {
      pass(1 + below(4));
    } else if (kind < 999) {
      inspect();
    } else if (chance(500)) {
      reload();
    }
  }

  /// When all is silent nothing stays, and every port can be had again.
  void let_all_go() {
    pass(kTimeout_s[kTcp] + kSweep_s);
    if (home_.sessions() != 0) fail("sessions that nobody uses stay");
    by_inside_.clear();
    for (unsigned i = 0; i < 8; ++i) {
      const Flow flow{kUdp, {"192.168.10." + std::to_string(2 + i), 10'000 + 64 * i}, {"198.51.100.1", 53}};
      const Body body = any_body();
      home_.send("lan", packet(flow, body));
      const auto sent = collect();
      if (sent.at("wan").size() != 1) return fail("no port for " + flow.text());
      const Endpoint seen = source_seen(flow, sent.at("wan")[0]);
      if (seen.port != flow.source.port)
        fail("a port is lost: " + seen.text() + " in place of " + flow.source.text());
    }
  }

  // ---- telling

  void log(const std::string& what) {
    history_.push_back(std::to_string(step_) + " at " + std::to_string(now_s_) + "s: " + what);
    if (history_.size() > 40) history_.pop_front();
  }
  void fail(const std::string& why) {
    if (failed()) return;
    std::ostringstream text;
    for (const std::string& line : history_) text << line << '\n';
    ADD_FAILURE() << "seed " << seed_ << ", " << workers_ << " workers, step " << step_ << ": " << why
                  << "\nafter\n"
                  << text.str();
  }
  [[nodiscard]] static bool failed() { return testing::Test::HasFailure(); }

  const unsigned workers_, seed_;
  std::mt19937_64 random_;
  Home home_;
  unsigned now_s_ = 0, step_ = 0, mappings_made_ = 0;
  bool with_third_ = true;
  std::vector<Session> sessions_;
  std::map<Flow, size_t> by_flow_;
  std::map<std::pair<Protocol, Endpoint>, Mapping> by_inside_;
  std::map<std::tuple<Protocol, Endpoint, std::string>, unsigned> permits_;
  std::map<std::pair<bool, std::string>, std::string> paired_;
  std::deque<std::string> history_;
};

class NatModel : public testing::TestWithParam<std::tuple<unsigned, unsigned>> {};

INSTANTIATE_TEST_SUITE_P(WorkersAndSeed, NatModel,
                         testing::Combine(testing::Values(1u, 2u, 4u), testing::Values(1u, 60u)),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) + "_workers_seed_" +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST_P(NatModel, a_hundred_thousand_random_steps_agree_with_it) {
  Model(std::get<0>(GetParam()), std::get<1>(GetParam())).run(100'000);
}

}  // namespace
}  // namespace sluice::test
