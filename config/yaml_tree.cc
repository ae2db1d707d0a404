// SPDX-License-Identifier: BSD-3-Clause
//
// Walks yaml-cpp's events rather than its YAML::Node: those still show duplicate keys and the second
// document, and can be stopped before an alias has filled the memory.
#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxNodes = 1'000'000;

/// Ends the reading: nothing after this can be made sense of.
struct Stop {
  Location location;
  std::string message;
};

/// yaml-cpp counts from 0, and gives -1 where it knows no place.
Location to_location(const YAML::Mark& mark) {
  return {.line = std::max(mark.line, 0) + 1, .column = std::max(mark.column, 0) + 1};
}

size_t count_nodes(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  for (const Entry& entry : node.entries) count += 1 + count_nodes(entry.value);
  return count;
}

Node make_node(Node::Kind kind, const YAML::Mark& mark) {
  Node node;
  node.kind = kind;
  node.location = to_location(mark);
  return node;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, Diagnostics& diagnostics) : text_(text), diagnostics_(diagnostics) {}

  Node take_root() { return std::move(root_); }
  Location last_location() const { return last_; }

  /// \return the innermost `[` or `{` that is still open, if any.
  std::optional<Location> open_bracket() const {
    for (auto open = open_.rbegin(); open != open_.rend(); ++open) {
      if (open->flow) return open->node.location;
    }
    return std::nullopt;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    throw Stop{to_location(mark),
               "a second document begins here: write one document, and check the indentation"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node = make_node(Node::Kind::null, mark);
    if (is_word_null(mark)) {
      node.text = "null";
    } else if (!open_.empty() && !expects_key()) {
      node.location = open_.back().location();
    }
    add(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool quoted = tag == "!";  // how yaml-cpp says that it saw quotes, or a block of text
    if (!quoted) check_tag(mark, tag);
    Node node = make_node(Node::Kind::scalar, mark);
    node.text = value;
    node.quoted = quoted;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto meant = anchors_.find(anchor);
    if (meant == anchors_.end()) {
      throw Stop{to_location(mark), "this alias contains itself: write its value out"};
    }
    spend(count_nodes(meant->second), to_location(mark));
    check_depth(open_.size() + depth(meant->second), to_location(mark));
    place(Node(meant->second));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::sequence, mark, tag, anchor, style);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::mapping, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool flow = false;        ///< written with a bracket
    std::optional<Node> key;  ///< mapping: the key that waits for its value

    Location location() const { return key ? key->location : node.location; }
  };

  bool expects_key() const { return open_.back().node.kind == Node::Kind::mapping && !open_.back().key; }

  static size_t depth(const Node& node) {
    size_t deepest = 0;
    for (const Node& item : node.items) deepest = std::max(deepest, depth(item));
    for (const Entry& entry : node.entries) deepest = std::max(deepest, depth(entry.value));
    return 1 + deepest;
  }

  static void check_depth(size_t depth, Location location) {
    if (depth > kMaxDepth) throw Stop{location, concat("nested deeper than ", kMaxDepth, " levels")};
  }

  void spend(size_t nodes, Location location) {
    nodes_ += nodes;
    if (nodes_ <= kMaxNodes) return;
    throw Stop{location, concat("more than ", kMaxNodes, " values, aliases included")};
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?") return;
    diagnostics_.error(to_location(mark), "tags like '!!str' are not supported: remove it");
  }

  /// Whether the null at `mark` is the word `null`, which is also a device. A value that is not there is
  /// reported at the token after it, which may be a key of that name.
  bool is_word_null(const YAML::Mark& mark) const {
    std::string_view rest = text_.substr(std::min(static_cast<size_t>(mark.pos), text_.size()));
    if (!rest.starts_with("null")) return false;
    rest.remove_prefix(4);
    const size_t blanks = std::min(rest.find_first_not_of(" \t"), rest.size());
    const bool is_key = rest.substr(blanks).starts_with(':');
    return !is_key && (blanks > 0 || rest.empty() || std::string_view("\r\n,]}").find(rest[0]) != rest.npos);
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    check_tag(mark, tag);
    check_depth(open_.size() + 1, to_location(mark));
    last_ = to_location(mark);
    open_.push_back({make_node(kind, mark), anchor, style == YAML::EmitterStyle::Flow, std::nullopt});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.node.kind == Node::Kind::mapping) check_keys(done.node);
    add(std::move(done.node), done.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    last_ = std::max(last_, node.location);
    spend(1, node.location);
    if (anchor != 0) {
      spend(count_nodes(node), node.location);
      anchors_.insert_or_assign(anchor, node);
    }
    place(std::move(node));
  }

  void place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = std::move(node);
    } else {
      parent.node.entries.push_back({std::move(*parent.key), std::move(node)});
      parent.key.reset();
    }
  }

  /// Reports and removes the entries whose key is no word, or is there already.
  void check_keys(Node& mapping) {
    std::unordered_map<std::string, Location> seen;
    std::vector<Entry> kept;
    for (Entry& entry : mapping.entries) {
      if (!is_usable(entry.key)) continue;
      const auto [first, is_new] = seen.emplace(entry.key.text, entry.key.location);
      if (is_new) {
        kept.push_back(std::move(entry));
      } else {
        diagnostics_.error(entry.key.location, concat("duplicate key ", quote(entry.key.text),
                                                      ": it is given in line ", first->second.line));
      }
    }
    mapping.entries = std::move(kept);
  }

  bool is_usable(const Node& key) {
    if (key.kind != Node::Kind::scalar) {
      diagnostics_.error(key.location, "a key must be a word");
      return false;
    }
    if (key.text != "<<") return true;
    diagnostics_.error(key.location, "merge keys ('<<') are not supported: write the keys out");
    return false;
  }

  std::string_view text_;
  Diagnostics& diagnostics_;
  Node root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;  ///< those that are complete
  size_t nodes_ = 0;
  int documents_ = 0;
  Location last_;  ///< the last thing that was begun
};

struct Wording {
  std::string_view theirs;
  std::string_view ours;
};

/// yaml-cpp's messages that leave a person guessing.
const std::array kWordings = {
    Wording{YAML::ErrorMsg::END_OF_MAP, "not YAML here: check the indentation and the quotes"},
    Wording{YAML::ErrorMsg::END_OF_SEQ, "not YAML here: check the indentation of the list"},
    Wording{YAML::ErrorMsg::MAP_VALUE,
            "a ':' that begins no value: check the indentation, or quote the text"},
    Wording{YAML::ErrorMsg::INVALID_ESCAPE,
            "no escape that YAML has: write '\\\\' for a backslash, or use single quotes"},
    Wording{YAML::ErrorMsg::FLOW_END, "this bracket closes nothing: remove it"},
    Wording{YAML::ErrorMsg::UNKNOWN_TOKEN, "this character begins nothing in YAML: quote the text"},
    Wording{YAML::ErrorMsg::UNKNOWN_ANCHOR,
            "this alias has no anchor: define it above, or write its value out"},
};

/// Whether blanks before the first word of a line include a tab, which YAML does not count as indentation.
bool is_tab_indented(std::string_view text, int line) {
  for (; line > 1; --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::string_view blanks = text.substr(0, text.find_first_not_of(" \t"));
  return blanks.find('\t') != std::string_view::npos;
}

Stop explain(const YAML::Exception& error, std::string_view text, const TreeBuilder& tree) {
  if (error.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
    return {tree.last_location(), "a quoted text that begins after this never ends: add the quote"};
  }
  const bool unclosed =
      error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW || error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (unclosed && tree.open_bracket()) {
    return {*tree.open_bracket(), "this bracket is not closed, or a ',' is missing after it"};
  }
  const Location location = to_location(error.mark);
  if (is_tab_indented(text, location.line))
    return {{location.line, 1}, "a tab indents this line: use spaces"};
  for (const Wording& wording : kWordings) {
    if (error.msg.starts_with(wording.theirs)) return {location, std::string(wording.ours)};
  }
  return {location, concat("not YAML: ", error.msg)};
}

void run(std::string_view text, TreeBuilder& tree) {
  // The end of the document, spelled out, is what makes yaml-cpp notice a quote that is still open there.
  std::istringstream in(concat(text, "\n...\n"));
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(tree)) {
    }
  } catch (const YAML::Exception& error) {
    throw explain(error, text, tree);
  }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key.text == key; });
  return found == entries.end() ? nullptr : &found->value;
}

std::optional<Node> read_yaml(std::string_view text, Diagnostics& diagnostics) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  TreeBuilder tree(text, diagnostics);
  try {
    run(text, tree);
    return tree.take_root();
  } catch (const Stop& stop) {
    diagnostics.error(stop.location, stop.message);
    return std::nullopt;
  }
}

}  // namespace sluice::config
