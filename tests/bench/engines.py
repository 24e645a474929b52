"""The engines that one could pick instead of ours, each with the spelling and the settings that suit it."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import bm25s
import tantivy
from rapidfuzz import process

Found = tuple[str | None, float]
"""The first document's id, and its score."""
Ask = Callable[[str], Found]
_ITEM = re.compile("[a-z0-9]+|[\u3400-\u9fff]")
_RUN = re.compile("[a-z0-9\u3400-\u9fff]+")


@dataclass(frozen=True)
class Document:
    """What an engine is told of one entry."""

    id: str
    texts: tuple[str, ...]


def plain(text: str) -> str:
    """Spelling for the other engines."""
    return unicodedata.normalize("NFKC", text).lower()


def grams(text: str) -> list[str]:
    """Characters and pairs of neighbouring ones; Latin words and numbers whole."""
    found: list[str] = []
    for run in _RUN.findall(plain(text)):
        items = _ITEM.findall(run)
        found += items + [left + right for left, right in pairwise(items)]
    return found


def by_rapidfuzz(documents: Sequence[Document], scorer: Callable[..., float]) -> Ask:
    """The likest text of any document."""
    owners = [document.id for document in documents for _ in document.texts]
    texts = [plain(text) for document in documents for text in document.texts]

    def ask(question: str) -> Found:
        best = process.extractOne(plain(question), texts, scorer=scorer)
        return (owners[best[2]], float(best[1])) if best else (None, 0.0)

    return ask


def by_bm25s(documents: Sequence[Document]) -> Ask:
    """BM25 (Lucene's) over characters and bigrams."""
    engine = bm25s.BM25()
    engine.index([grams(" ".join(document.texts)) for document in documents], show_progress=False)
    ids = [document.id for document in documents]

    def ask(question: str) -> Found:
        tokens = [token for token in grams(question) if token in engine.vocab_dict]
        if not tokens:
            return None, 0.0
        scores = engine.get_scores(tokens)
        best = int(scores.argmax())
        return ids[best], float(scores[best])

    return ask


def by_tantivy(documents: Sequence[Document]) -> Ask:
    """Tantivy in memory over the same characters and bigrams."""
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("at", stored=True)
    builder.add_text_field("body", tokenizer_name="grams", index_option="freq")
    schema = builder.build()
    index = tantivy.Index(schema)
    index.register_tokenizer("grams", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    writer = index.writer(num_threads=1)
    for at, document in enumerate(documents):
        writer.add_document(tantivy.Document(at=at, body=" ".join(grams(" ".join(document.texts)))))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(question: str) -> Found:
        terms = [tantivy.Query.term_query(schema, "body", token) for token in grams(question)]
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
        hits = searcher.search(query, 1, count=False).hits
        if not hits:
            return None, 0.0
        return documents[searcher.doc(hits[0][1])["at"][0]].id, float(hits[0][0])

    return ask


def by_fts5(documents: Sequence[Document]) -> Ask:
    """SQLite FTS5 with its trigram tokenizer, best BM25 of any trigram."""
    table = sqlite3.connect(":memory:")
    table.execute("create virtual table bank using fts5(body, tokenize='trigram')")
    rows = ((at, plain("\n".join(document.texts))) for at, document in enumerate(documents))
    table.executemany("insert into bank(rowid, body) values (?, ?)", rows)
    table.execute("insert into bank(bank) values ('optimize')")

    def ask(question: str) -> Found:
        runs = _RUN.findall(plain(question))
        wanted = {run[at : at + 3] for run in runs for at in range(len(run) - 2)}
        if not wanted:
            return None, 0.0
        match = " OR ".join(f'"{piece}"' for piece in sorted(wanted))
        found = table.execute("select rowid, rank from bank where bank match ? order by rank limit 1", (match,))
        row = found.fetchone()
        return (documents[row[0]].id, -float(row[1])) if row else (None, 0.0)

    return ask
