// The language that CLD2 (Debian's libcld2) finds in each line of a file: LABEL <TAB> ANSWER <TAB> TEXT in, its code out; time and lines per second on standard error.
// Build: g++ -O2 -o cld2 bench/peers/cld2.cpp -lcld2
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <cld2/public/compact_lang_det.h> // after <cstdio>, which it needs and does not include

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: cld2 FILE.tsv\n");
    return 2;
  }
  std::ifstream file(arguments[1]);
  std::vector<std::string> texts;
  for (std::string line; std::getline(file, line);) texts.push_back(line.substr(line.rfind('\t') + 1));
  std::vector<CLD2::Language> found(texts.size());
  double best = 1e9;
  for (int round = 0; round < 3; round++) {
    auto start = std::chrono::steady_clock::now();
    for (size_t i = 0; i < texts.size(); i++) {
      // The plain call says English when it does not know; of this one the first of three languages says "un".
      CLD2::CLDHints hints = {nullptr, nullptr, 23, CLD2::UNKNOWN_LANGUAGE}; // 23: encoding unknown
      CLD2::Language best3[3];
      int percent[3], bytes;
      double scores[3];
      bool reliable;
      CLD2::ExtDetectLanguageSummary(texts[i].data(), static_cast<int>(texts[i].size()), true, &hints, 0, best3, percent, scores, nullptr, &bytes, &reliable);
      found[i] = best3[0];
    }
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds < best) best = seconds;
  }
  for (auto language : found) std::printf("%s\n", CLD2::LanguageCode(language));
  std::fprintf(stderr, "%zu texts, %.0f a second\n", texts.size(), texts.size() / best);
}
