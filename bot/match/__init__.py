"""Query × index → Hits: keyword rules, n-grams, pinyin, string similarity, one calibrated score."""
