"""Settings: what an administrator writes, and what he is told when it is wrong."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, time
from pathlib import Path

import pytest

from agent.app.queue_factory import queue_definition
from agent.call.turn_taking import TurnTakingOptions
from agent.config.base import SettingsError
from agent.config.call import CallSettings
from agent.config.loader import load_settings
from agent.config.settings import Settings


def write(directory: Path, text: str, name: str = "orderline.yaml") -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_gives_the_documented_defaults(tmp_path: Path) -> None:
    write(tmp_path, "")
    assert load_settings(tmp_path) == Settings()


def test_waits_that_are_not_set_are_those_of_turn_taking() -> None:
    of_calls, of_turns = CallSettings(), TurnTakingOptions()
    shared = CallSettings.model_fields.keys() & {field.name for field in fields(TurnTakingOptions)}
    assert shared == {"end_complete_ms", "end_likely_ms", "end_open_ms", "end_incomplete_ms", "barge_in_ms"}
    assert {name: getattr(of_calls, name) for name in shared} == {name: getattr(of_turns, name) for name in shared}


@pytest.mark.parametrize(("milliseconds", "accepted"), [(299, False), (300, True), (8000, True), (8001, False)])
def test_the_wait_for_the_rest_of_a_number_may_be_300_to_8000_ms(
    tmp_path: Path, milliseconds: int, accepted: bool
) -> None:
    main = write(tmp_path, f"call:\n  end_incomplete_ms: {milliseconds}\n")
    if accepted:
        assert load_settings(tmp_path).call.end_incomplete_ms == milliseconds
    else:
        with pytest.raises(SettingsError, match=f"{main}:2: call.end_incomplete_ms: "):
            load_settings(tmp_path)


def test_later_files_win_key_by_key(tmp_path: Path) -> None:
    write(tmp_path, "ari: {user: one, url: 'http://127.0.0.1:8088'}\nshop: {name: First}\n")
    write(tmp_path, "ari: {user: two}\n", "conf.d/20-b.yaml")
    write(tmp_path, "ari: {user: three}\n", "conf.d/10-a.yaml")
    settings = load_settings(tmp_path)
    assert (settings.ari.user, settings.ari.url, settings.shop.name) == ("two", "http://127.0.0.1:8088", "First")


def test_yes_and_no_stay_the_words_they_are_in_text(tmp_path: Path) -> None:
    write(tmp_path, "shop: {name: no}\n")
    assert load_settings(tmp_path).shop.name == "no"


def test_paths_are_relative_to_the_settings(tmp_path: Path) -> None:
    write(tmp_path, "ari: {password_file: secrets/ari}\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ari").write_text("sesame\n")
    assert load_settings(tmp_path).ari.password() == "sesame"


def test_every_mistake_is_named_with_file_line_and_key(tmp_path: Path) -> None:
    main = write(tmp_path, "ari:\n  usr: x\ncall:\n  deadman_seconds: soon\n")
    more = write(tmp_path, "\nmedia:\n  transport: pigeon\n", "conf.d/a.yaml")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    lines = caught.value.message.splitlines()
    assert f"{main}:2: ari.usr: there is no such setting; did you mean user?" in lines
    assert any(line.startswith(f"{main}:4: call.deadman_seconds: ") for line in lines)
    assert any(line.startswith(f"{more}:3: media.transport: ") for line in lines)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    main = write(tmp_path, "shop:\n  name: A\n  name: B\n")
    with pytest.raises(SettingsError, match=f"{main}:3: shop.name: stands twice"):
        load_settings(tmp_path)


def test_broken_yaml_says_where(tmp_path: Path) -> None:
    main = write(tmp_path, "shop:\n  name: [A\n")
    with pytest.raises(SettingsError, match=f"{main}:[23]: is not readable YAML"):
        load_settings(tmp_path)


def test_a_directory_without_settings_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--config"):
        load_settings(tmp_path)


def test_there_is_no_default_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERLINE_ARI_PASSWORD", raising=False)
    write(tmp_path, "")
    with pytest.raises(SettingsError, match=r"ari\.password_file"):
        load_settings(tmp_path).ari.password()
    monkeypatch.setenv("ORDERLINE_ARI_PASSWORD", "from the environment")
    assert load_settings(tmp_path).ari.password() == "from the environment"


def test_the_documented_file_is_a_file_that_works_and_names_every_setting(tmp_path: Path) -> None:
    document = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    example = document.split("```yaml\n")[1].split("```")[0]
    write(tmp_path, example)
    settings = load_settings(tmp_path)
    assert settings.shop.name == "Maple and Finch"
    for part in [settings, *(value for value in settings.__dict__.values() if hasattr(value, "model_fields_set"))]:
        assert part.model_fields_set == set(type(part).model_fields)


def test_mistakes_in_a_list_of_webhooks_are_named_with_their_place(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        "webhooks:\n  - name: crm\n    url: https://crm.example\n    event: [x]\n  - name: CRM!\n    url: ftp://x\n",
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    lines = caught.value.message.splitlines()
    assert f"{main}:4: webhooks.0.event: there is no such setting; did you mean events?" in lines
    assert any(line.startswith(f"{main}:5: webhooks.1.name: ") for line in lines)
    assert any(line.startswith(f"{main}:6: webhooks.1.url: ") for line in lines)


def test_two_webhooks_cannot_have_one_name(tmp_path: Path) -> None:
    write(tmp_path, "webhooks: [{name: crm, url: 'https://a.example'}, {name: crm, url: 'https://b.example'}]\n")
    with pytest.raises(SettingsError, match="the name crm stands twice"):
        load_settings(tmp_path)


def test_secrets_of_webhooks_are_relative_to_the_settings_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "webhooks: [{name: my-crm, url: 'https://a.example', secret_file: here}]\n")
    (tmp_path / "here").write_text("whsec_x\n")
    assert load_settings(tmp_path).webhooks[0].secret() == "whsec_x"
    monkeypatch.setenv("ORDERLINE_WEBHOOK_MY_CRM_SECRET", "whsec_y")
    assert load_settings(tmp_path).webhooks[0].secret() == "whsec_y"


def test_the_address_of_redis_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "")
    monkeypatch.delenv("ORDERLINE_REDIS_URL", raising=False)
    assert load_settings(tmp_path).redis.address() == ""
    monkeypatch.setenv("ORDERLINE_REDIS_URL", "redis://:secret@redis.example/0")
    assert load_settings(tmp_path).redis.address() == "redis://:secret@redis.example/0"


def test_the_address_of_postgresql_may_stand_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "records: {url: 'postgresql://a@db.example/calls?sslmode=verify-full'}")
    monkeypatch.delenv("ORDERLINE_RECORDS_URL", raising=False)
    assert load_settings(tmp_path).records.address() == "postgresql://a@db.example/calls?sslmode=verify-full"
    monkeypatch.setenv("ORDERLINE_RECORDS_URL", "postgresql://a:secret@db.example/calls")
    assert load_settings(tmp_path).records.address() == "postgresql://a:secret@db.example/calls"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("queues: {humans: {hours: {mon: 08:00-18:00}}}", "there is no weekday 'mon'"),
        ("queues: {humans: {hours: {monday: 18:00-08:00}}}", "ends before it begins"),
        ("queues: {humans: {hours: {monday: 8-18}}}", "write 08:00-18:00"),
        ("queues: {humans: {hour: {}}}", "did you mean hours?"),
        ("queues: {'humans,tT': {}}", "queues"),
        ("queues: {humans: {screen_pop_url: 'https://crm.example/{tickt}'}}", "there is no {tickt}"),
        ("queues: {humans: {screen_pop_url: 'javascript:x'}}", "screen_pop_url"),
    ],
)
def test_a_mistake_in_a_queue_is_told(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "orderline.yaml").write_text(f"{text}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert problem in caught.value.message


def test_an_edit_of_the_holidays_counts_at_once_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    text = "queues: {humans: {hours: {monday: '08:00-12:00, 13:00-24:00'}, holidays_file: days}}\n"
    (tmp_path / "orderline.yaml").write_text(text, encoding="utf-8")
    days = tmp_path / "days"
    days.write_text("2026-12-25  # Christmas\n\n", encoding="utf-8")
    plan = queue_definition("humans", load_settings(tmp_path).queues["humans"], UTC)
    assert plan.rules().hours == {0: ((time(8), time(12)), (time(13), time(0)))}
    assert plan.rules().holidays == {date(2026, 12, 25)}
    days.write_text("2026-12-26\n", encoding="utf-8")
    assert plan.rules().holidays == {date(2026, 12, 26)}
    days.write_text("Boxing day\n", encoding="utf-8")
    assert plan.rules().holidays == {date(2026, 12, 26)}


@pytest.mark.parametrize("consent", ["announce", "ask"])
def test_sound_is_kept_of_callers_who_know_of_it(consent: str) -> None:
    Settings.model_validate({"sound": {"keep": True}, "call": {"consent": consent}})


def test_sound_without_consent_is_refused_and_is_off_by_default() -> None:
    assert not Settings().sound.keep
    with pytest.raises(ValueError, match=r"call\.consent"):
        Settings.model_validate({"sound": {"keep": True}})


@pytest.mark.parametrize("path", ["relative", "/with space", "/a,b", "/${x}", "/a;b"])
def test_a_sound_directory_that_cannot_stand_in_the_dialplan_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="it stands in the dialplan"):
        Settings.model_validate({"sound": {"directory": path}})
