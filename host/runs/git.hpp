// The source tree that a folder lies in, from git's own files: HEAD, refs, index. Git is not started, since a folder's
// configuration names programs that git runs (core.fsmonitor, filters, textconv, hooks): a run would execute what came
// with somebody's archive. docs/decisions/provenance.md.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace perrin::runs {

// git_commit: what HEAD names. git_tree: the tree that the index holds; equal to `git rev-parse HEAD^{tree}` unless
// something is staged. git_changed: the tracked files whose bytes are not the index's, at most 100 by name;
// git_changes_sha256: of their names, modes and contents. What cannot be found out, or needs more than is read here, is
// left out. Never throws.
std::vector<std::pair<std::string, std::string>> git_facts(const std::filesystem::path& folder);

}  // namespace perrin::runs
