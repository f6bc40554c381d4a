"""Asking in a browser: what is seen of an answer, its evidence, a refusal and a follow-up, and what is kept."""

import re

from playwright.sync_api import Browser, expect

from tests.e2e.driving import INPUT, WAIT_MS, Server, Visit


def test_a_click_on_a_citation_shows_its_quote_in_its_section(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    answer = visit.ask("How does LoRA cut memory?")
    expect(answer).to_contain_text("massive reduction in memory")
    answer.locator(".cite").first.click()
    panel = page.locator(".st-key-panel")
    mark = panel.locator(".reader mark").first
    expect(mark).to_contain_text("LoRA is a popular and effective PEFT technique")
    expect(mark).to_be_in_viewport()
    expect(panel).to_contain_text("9.2. Parameter-Efficient Fine-Tuning (PEFT): The LoRA Method")
    page.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)


def test_the_works_that_a_citation_rests_on_are_linked(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.ask("What are the four pillars of MLOps?").locator(".cite").first.click()
    work = page.locator(".st-key-panel .works a").first
    expect(work).to_have_attribute("href", "https://aws.amazon.com/what-is/mlops/")
    expect(work).to_have_attribute("rel", re.compile("noopener"))


def test_the_keyboard_opens_evidence_reads_it_and_comes_back_to_the_mark(
    server: Server, visit: Visit
) -> None:
    page = visit.open(server.url).page
    answer = visit.ask("What are the four pillars of MLOps?")
    visit.ask("What is BERT?")
    mark = answer.locator(".cite").nth(3)
    mark.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".reader mark").first).to_be_visible()
    expect(page.locator(".reader")).to_be_focused()
    expect(mark).to_have_attribute("aria-expanded", "true")
    expect(mark).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-panel")).to_have_count(0)
    expect(mark).to_be_focused()
    expect(mark).to_be_in_viewport()
    expect(answer.locator("[aria-expanded]")).to_have_count(0)


def test_one_goes_from_evidence_to_evidence_and_to_the_library_for_a_work(
    server: Server, visit: Visit
) -> None:
    page = visit.open(server.url).page
    answer = visit.ask("What are the four pillars of MLOps?")
    answer.locator(".cite").first.click()
    panel = page.locator(".st-key-panel")
    expect(panel).to_contain_text("1 of 7")
    panel.get_by_role("button", name="Next evidence").click()
    expect(panel).to_contain_text("2 of 7")
    expect(panel.locator(".reader mark").first).to_contain_text("Automation")
    expect(answer.locator(".cite.chosen")).to_have_text("2")
    panel.get_by_role("button", name="Evidence before").click()
    expect(panel).to_contain_text("1 of 7")
    panel.get_by_role("button", name="not in the index").click()
    expect(page.get_by_role("tab", name="Works cited")).to_have_attribute("aria-selected", "true")


def test_one_can_write_at_once_and_go_from_question_to_question(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    expect(page.locator(INPUT)).to_be_focused()
    visit.ask("What is BERT?")
    expect(page.get_by_role("heading", level=1, name="Conversation: What is BERT?")).to_be_attached()
    expect(page.get_by_role("heading", level=2, name="What is BERT?")).to_be_visible()
    more = page.get_by_test_id("stSidebar").get_by_role("button", name="Options of What is BERT?")
    expect(more.first).to_be_visible()
    page.get_by_role("button", name="New conversation").click()
    expect(visit.answers).to_have_count(0)
    expect(page.locator(INPUT)).to_be_focused()


def test_closing_the_inspector_comes_back_to_its_button(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    inspect = visit.ask("What is BERT?").get_by_role("button", name="Inspect")
    inspect.click()
    page.locator(".st-key-panel").get_by_role("button", name="Close").click()
    expect(page.locator(".st-key-panel")).to_have_count(0)
    expect(inspect).to_be_focused()


def test_who_writes_while_evidence_closes_goes_on_writing(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.ask("What is BERT?").locator(".cite").first.click()
    expect(page.locator(".reader")).to_be_visible()
    page.locator(INPUT).press_sequentially("What is")
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-panel")).to_have_count(0)
    expect(page.locator(INPUT)).to_be_focused()


def test_a_follow_up_shows_how_it_was_understood_and_can_be_put_right(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.ask("What is LoRA?")
    answer = visit.ask("And by what factor does it reduce the parameters?")
    expect(answer).to_contain_text("Understood as:")
    expect(answer).to_contain_text("10,000")
    answer.get_by_role("button", name="Edit").click()
    page.get_by_label("Ask it as").fill("What is gradient descent?")
    page.get_by_label("Ask it as").press("Enter")
    page.get_by_role("button", name="Ask again").click()
    expect(visit.answers.last).to_contain_text("gradient", timeout=WAIT_MS)
    expect(visit.answers).to_have_count(2)
    expect(visit.answers.last).not_to_contain_text("10,000")


def test_a_refusal_says_why_shows_what_is_near_and_suggests(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    answer = visit.ask("Who won the football world cup in 2022?")
    expect(answer.locator(".refusal")).to_contain_text("do not answer this")
    expect(answer.locator(".cite")).to_have_count(0)
    answer.locator(".card.near").first.click()
    expect(page.locator(".reader mark").first).to_be_visible()
    answer.get_by_role("button", name=re.compile("What does the roadmap say about")).first.click()
    expect(visit.answers).to_have_count(2, timeout=WAIT_MS)
    expect(visit.answers.last.locator(".cite").first).to_be_visible()


def test_retry_puts_a_new_answer_in_the_place_of_the_last(server: Server, visit: Visit) -> None:
    visit.open(server.url)
    answer = visit.ask("What is BERT?")
    before = answer.get_attribute("class")
    answer.get_by_role("button", name="Retry").click()
    expect(visit.answers.last).not_to_have_attribute("class", before or "", timeout=WAIT_MS)
    expect(visit.answers).to_have_count(1)


def test_an_answer_is_copied_with_its_sources(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.ask("What is BERT?").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "\nSources\n" in copied
    assert "BERT" in copied


def test_the_inspector_shows_candidates_timings_and_settings(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.ask("What is BERT?").get_by_role("button", name="Inspect").click()
    panel = page.locator(".st-key-panel")
    expect(panel).to_contain_text("How this answer came about")
    expect(panel).to_contain_text("extractive")
    expect(panel).to_contain_text("retrieval")
    expect(panel.get_by_test_id("stDataFrame")).to_be_visible()


def test_a_conversation_survives_a_restart_and_can_be_found_renamed_and_deleted(
    server: Server, visit: Visit
) -> None:
    page = visit.open(server.url).page
    visit.ask("What is the vanishing gradient problem?")
    address = page.url
    server.stop()
    server.start()
    visit.open(address)
    expect(visit.answers).to_have_count(1)
    expect(visit.answers.first.locator(".cite").first).to_be_visible()
    page.get_by_placeholder("Search conversations").fill("vanishing")
    page.get_by_placeholder("Search conversations").press("Enter")
    listed = page.get_by_test_id("stSidebar").get_by_role("button", name=re.compile("^What.*vanishing"))
    expect(listed).to_have_count(1)
    page.locator('[class*="st-key-more-"] button').first.click()
    page.get_by_label("Title").fill("Gradients that vanish")
    page.get_by_label("Title").press("Enter")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_test_id("stSidebar").get_by_text("Gradients that vanish", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete").click()  # the menu is still open
    expect(visit.answers).to_have_count(1)
    page.get_by_role("button", name="Delete for good").click()
    expect(visit.answers).to_have_count(0)


def test_an_exported_conversation_is_markdown(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.ask("What is BERT?")
    page.locator('[class*="st-key-more-"] button').first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as Markdown").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("# What is BERT?")
    assert "Sources" in text


def test_a_thumb_down_with_its_comment_is_a_candidate_on_the_evaluation_page(
    server: Server, visit: Visit
) -> None:
    page = visit.open(server.url).page
    answer = visit.ask("What does the roadmap say about transfer learning?")
    answer.get_by_role("button", name="Bad answer").click()
    expect(answer.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    comment = answer.get_by_placeholder("What is wrong with it?")
    comment.fill("Misses the point")
    comment.press("Enter")
    expect(comment).to_have_value("Misses the point")
    visit.go("Evaluation")
    page.get_by_role("tab", name="Disliked answers").click()
    expect(page.get_by_text("Misses the point")).to_be_visible()
    expect(page.get_by_text("What does the roadmap say about transfer learning?")).to_be_visible()


def test_two_people_get_their_own_answers(server: Server, visit: Visit, browser: Browser) -> None:
    context = browser.new_context()
    other = Visit(context.new_page())
    other.open(server.url)
    visit.open(server.url)
    visit.type("What is BERT?")
    other.type("What are the four pillars of MLOps?")
    expect(visit.answers).to_have_count(1, timeout=WAIT_MS)
    expect(other.answers).to_have_count(1, timeout=WAIT_MS)
    expect(visit.answers).to_contain_text("BERT")
    expect(other.answers).to_contain_text("Version Control")
    assert other.elsewhere == []
    context.close()


def test_the_first_visit_explains_itself_and_its_examples_are_answered(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    expect(page.get_by_role("heading", name="Ask the roadmap")).to_be_visible()
    examples = page.locator('[class*="st-key-example-"] button')
    expect(examples).to_have_count(6)
    examples.first.click()
    expect(visit.answers).to_have_count(1, timeout=WAIT_MS)
    expect(visit.answers.locator(".cite").first).to_be_visible()


def test_a_question_can_be_limited_to_a_section(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.go("Roadmap")
    page.get_by_role("button", name=re.compile("9.2. Parameter-Efficient")).click()
    expect(page.locator(".st-key-reading")).to_contain_text("LoRA (Low-Rank Adaptation)")
    page.get_by_role("button", name="Ask about this section").click()
    expect(page.get_by_text("Only from:")).to_be_visible()
    answer = visit.ask("What is frozen?")
    expect(answer).to_contain_text("Only from: 9.2. Parameter-Efficient")
    declined = visit.ask("What are the four pillars of MLOps?")
    expect(declined.locator(".refusal")).to_be_visible()
    declined.get_by_role("button", name="The same of all documents").click()
    expect(visit.answers.last).to_contain_text("Version Control", timeout=WAIT_MS)
    expect(visit.answers).to_have_count(2)
    expect(visit.answers.last).not_to_contain_text("Only from:")
    page.get_by_role("button", name="Ask everything again").click()
    expect(page.get_by_text("Only from:")).to_have_count(1)  # of the answer that was
