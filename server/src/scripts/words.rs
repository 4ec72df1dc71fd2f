//! The words that scripts are given, in the language of those who know `opensips.cfg`: each is a function of a run's host.

use std::{str::FromStr as _, sync::Arc};

use app::model::{Mode, Number, split_name};
use chrono::{DateTime, Datelike as _, NaiveTime, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use rhai::{Array, Dynamic, Engine, EvalAltResult, Map, NativeCallContext};

use super::{
    host::{Host, Said},
    values::{Item, dynamic, json_of, text_of, value_of},
};
use crate::{clock, config::parse_duration};

type Word<T> = Result<T, Box<EvalAltResult>>;

fn told<T>(said: Said<T>) -> Word<T> {
    said.map_err(Into::into)
}

/// Gives them to an engine.
pub(super) fn give(engine: &mut Engine, host: &Arc<Host>) {
    reading(engine, host);
    changing(engine, host);
    telling(engine, host);
    sending(engine, host);
    times(engine);
    values(engine);
}

fn reading(engine: &mut Engine, host: &Arc<Host>) {
    let of = Arc::clone(host);
    engine.register_fn("stat", move |name: &str| told(of.stat(None, name).map(dynamic)));
    let of = Arc::clone(host);
    engine.register_fn("stat", move |box_name: &str, name: &str| told(of.stat(Some(box_name), name).map(dynamic)));
    let of = Arc::clone(host);
    engine.register_fn("stat_or", move |name: &str, other: Dynamic| {
        of.stat(None, name).ok().flatten().map_or(other, |value| dynamic(Some(value)))
    });
    let of = Arc::clone(host);
    engine.register_fn("stat_or", move |box_name: &str, name: &str, other: Dynamic| {
        of.stat(Some(box_name), name).ok().flatten().map_or(other, |value| dynamic(Some(value)))
    });
    let of = Arc::clone(host);
    engine.register_fn("stat_iter", move |group: &str| told(of.group(None, group).map(items)));
    let of = Arc::clone(host);
    engine.register_fn("stat_iter", move |box_name: &str, group: &str| told(of.group(Some(box_name), group).map(items)));
    let of = Arc::clone(host);
    engine.register_fn("rate", move |name: &str| told(of.rate(None, name).map(|rate| dynamic(rate.map(Number::Float)))));
    let of = Arc::clone(host);
    let rate = move |box_name: &str, name: &str| told(of.rate(Some(box_name), name).map(|rate| dynamic(rate.map(Number::Float))));
    engine.register_fn("rate", rate);
    let of = Arc::clone(host);
    engine.register_fn("history", move |name: &str, span: Dynamic| history(&of, None, name, &span));
    let of = Arc::clone(host);
    engine.register_fn("history", move |box_name: &str, name: &str, span: Dynamic| history(&of, Some(box_name), name, &span));
}

fn items(items: Vec<Item>) -> Array {
    items.into_iter().map(Dynamic::from).collect()
}

fn history(host: &Host, box_name: Option<&str>, name: &str, span: &Dynamic) -> Word<Map> {
    let span_ms = match span.as_int() {
        Ok(ms) => ms,
        Err(_) => {
            let text = span.as_immutable_string_ref().map_err(|_| "a span is a text such as \"24h\", or milliseconds")?;
            let span = parse_duration(&text)?;
            i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
        }
    };
    let (series, mode) = told(host.history(box_name, name, span_ms))?;
    let columns = &series.columns;
    let of = |column: &[Option<Number>], pick: fn(f64, f64) -> bool| {
        let known = column.iter().flatten().copied();
        dynamic(known.reduce(|one, other| if pick(other.as_f64(), one.as_f64()) { other } else { one }))
    };
    let mut map = Map::new();
    map.insert("min".into(), of(&columns.min, |new, old| new < old));
    map.insert("max".into(), of(&columns.max, |new, old| new > old));
    map.insert("mean".into(), dynamic(columns.mean.iter().flatten().next().copied()));
    map.insert("first".into(), dynamic(columns.first.iter().flatten().next().copied()));
    map.insert("last".into(), dynamic(columns.last.iter().rev().flatten().next().copied()));
    map.insert("total".into(), dynamic(series.total));
    map.insert("is_rate".into(), (mode == Mode::Rate).into());
    Ok(map)
}

/// The name of a statistic: said, or of one that was gone through.
fn name_of(value: &Dynamic) -> Word<(Option<String>, String)> {
    if let Some(item) = value.read_lock::<Item>() {
        return Ok((item.box_name.clone(), item.name.clone()));
    }
    let text = value.as_immutable_string_ref().map_err(|_| format!("{} is no name of a statistic", value.type_name()))?;
    Ok((None, text.to_string()))
}

fn whole(value: &Dynamic) -> Word<i64> {
    if let Ok(value) = value.as_int() {
        return Ok(value);
    }
    match value.as_float() {
        #[expect(clippy::cast_possible_truncation, reason = "it is within the range")]
        Ok(float) if float.is_finite() && float.abs() < 9e18 => Ok(float.round() as i64),
        Ok(float) => Err(format!("{float} is no value for a statistic").into()),
        Err(_) => Err(format!("a statistic of your own is a number, not {}", value.type_name()).into()),
    }
}

fn changing(engine: &mut Engine, host: &Arc<Host>) {
    let of = Arc::clone(host);
    engine.register_fn("update_stat", move |name: &str, by: i64| told(of.update(name, by)));
    let of = Arc::clone(host);
    engine.register_fn("set_stat", move |name: &str, to: Dynamic| told(of.set(name, whole(&to)?)));
    let of = Arc::clone(host);
    let reset = move |what: Dynamic| -> Word<()> {
        match name_of(&what)? {
            (None, name) => told(of.reset(&name)),
            (Some(box_name), name) => told(of.reset_of(&box_name, &[name])),
        }
    };
    engine.register_fn("reset_stat", reset);
    let of = Arc::clone(host);
    let reset = move |box_name: &str, what: Dynamic| -> Word<()> {
        let names = match what.as_array_ref() {
            Ok(list) => list.iter().map(|one| Ok(name_of(one)?.1)).collect::<Word<Vec<String>>>()?,
            Err(_) => vec![name_of(&what)?.1],
        };
        told(of.reset_of(box_name, &names))
    };
    engine.register_fn("reset_stat", reset);
    let of = Arc::clone(host);
    engine.register_fn("pick", move |pattern: &str, destinations: Array| pick(&of, pattern, &destinations, &[]));
    let of = Arc::clone(host);
    engine.register_fn("pick", move |pattern: &str, destinations: Array, weights: Array| pick(&of, pattern, &destinations, &weights));
    let of = Arc::clone(host);
    engine.register_fn("release", move |pattern: &str, destination: &str| told(of.release(pattern, destination)));
}

fn pick(host: &Host, pattern: &str, destinations: &[Dynamic], weights: &[Dynamic]) -> Word<String> {
    let text = |one: &Dynamic| one.as_immutable_string_ref().map(|text| text.to_string()).map_err(|_| "a destination is a text".to_owned());
    let destinations = told(destinations.iter().map(text).collect::<Said<Vec<String>>>())?;
    #[expect(clippy::cast_precision_loss, reason = "weights are small")]
    let number =
        |one: &Dynamic| one.as_float().or_else(|_| one.as_int().map(|whole| whole as f64)).map_err(|_| "a weight is a number".to_owned());
    let weights = told(weights.iter().map(number).collect::<Said<Vec<f64>>>())?;
    told(host.pick(pattern, &destinations, &weights))
}

fn telling(engine: &mut Engine, host: &Arc<Host>) {
    let of = Arc::clone(host);
    engine.on_print(move |text| of.write(text));
    let of = Arc::clone(host);
    engine.on_debug(move |text, _, position| of.write(&format!("{position:?} {text}")));
    let of = Arc::clone(host);
    engine.register_fn("xlog", move |text: Dynamic| told(of.log("L_INFO", &shown(&text))));
    let of = Arc::clone(host);
    engine.register_fn("xlog", move |level: &str, text: Dynamic| told(of.log(level, &shown(&text))));
    let of = Arc::clone(host);
    let xlog = move |level: &str, one: Dynamic, other: Dynamic| told(of.log(level, &format!("{} {}", shown(&one), shown(&other))));
    engine.register_fn("xlog", xlog);
    let of = Arc::clone(host);
    let xlog = move |level: &str, one: Dynamic, other: Dynamic, third: Dynamic| {
        told(of.log(level, &format!("{} {} {}", shown(&one), shown(&other), shown(&third))))
    };
    engine.register_fn("xlog", xlog);
    let of = Arc::clone(host);
    engine.register_fn("notify", move |text: Dynamic| told(of.notify("info", &shown(&text), None)));
    let of = Arc::clone(host);
    engine.register_fn("notify", move |severity: &str, text: Dynamic| told(of.notify(severity, &shown(&text), None)));
    let of = Arc::clone(host);
    engine.register_fn("notify", move |severity: &str, text: Dynamic, to: &str| told(of.notify(severity, &shown(&text), Some(to))));
}

fn shown(value: &Dynamic) -> String {
    text_of(value).unwrap_or_else(|_| value.to_string())
}

fn sending(engine: &mut Engine, host: &Arc<Host>) {
    let of = Arc::clone(host);
    let post = move |context: NativeCallContext, url: &str, body: Dynamic| -> Word<String> {
        // A text that is no JSON goes as it is.
        let is_text = body.is_string() && serde_json::from_str::<serde::de::IgnoredAny>(&shown(&body)).is_err();
        let content_type = if is_text { "text/plain; charset=utf-8" } else { "application/json" };
        told(of.post(context.call_position().line(), url, content_type, told(text_of(&body))?))
    };
    engine.register_fn("http_post", post);
    let of = Arc::clone(host);
    let post = move |context: NativeCallContext, url: &str, body: Dynamic, content_type: &str| -> Word<String> {
        if content_type.is_empty() || content_type.chars().any(char::is_control) || !content_type.is_ascii() {
            return Err("the third word of http_post is a media type, such as \"text/csv\"".into());
        }
        told(of.post(context.call_position().line(), url, content_type, told(text_of(&body))?))
    };
    engine.register_fn("http_post", post);
    let of = Arc::clone(host);
    let get = move |url: &str| -> Word<Map> {
        let answer = told(of.get(url))?;
        let json = serde_json::from_str(&answer.body).map_or(Dynamic::UNIT, value_of);
        Ok([("status".into(), i64::from(answer.status).into()), ("body".into(), answer.body.into()), ("json".into(), json)].into())
    };
    engine.register_fn("http_get", get);
}

fn zone(name: &str) -> Word<Tz> {
    Tz::from_str(name).map_err(|_| format!("{name:?} is no time zone: write a name such as Europe/Berlin").into())
}

fn times(engine: &mut Engine) {
    engine.register_fn("now", clock::now_ms);
    engine.register_fn("time", || Ok::<_, Box<EvalAltResult>>(time(clock::now_ms(), Tz::UTC)));
    engine.register_fn("time", |name: &str| Ok::<_, Box<EvalAltResult>>(time(clock::now_ms(), zone(name)?)));
    engine.register_fn("since_midnight", || Ok::<_, Box<EvalAltResult>>(since_midnight(clock::now_ms(), Tz::UTC)));
    engine.register_fn("since_midnight", |name: &str| Ok::<_, Box<EvalAltResult>>(since_midnight(clock::now_ms(), zone(name)?)));
}

/// An instant on the clocks of a zone.
fn time(ms: i64, zone: Tz) -> Map {
    let at = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&zone);
    let number = |number: u32| Dynamic::from(i64::from(number));
    [
        ("ms".into(), ms.into()),
        ("year".into(), i64::from(at.year()).into()),
        ("month".into(), number(at.month())),
        ("day".into(), number(at.day())),
        ("hour".into(), number(at.hour())),
        ("minute".into(), number(at.minute())),
        ("second".into(), number(at.second())),
        ("weekday".into(), number(at.weekday().number_from_monday())),
        ("date".into(), at.format("%Y-%m-%d").to_string().into()),
        ("text".into(), at.format("%Y-%m-%dT%H:%M:%S%:z").to_string().into()),
    ]
    .into()
}

/// Milliseconds since the day began in a zone, also where its first hour is not there.
fn since_midnight(ms: i64, zone: Tz) -> i64 {
    let at = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&zone);
    let begins = |hours: u32| {
        let time = NaiveTime::from_hms_opt(hours / 2, hours % 2 * 30, 0)?;
        zone.from_local_datetime(&at.date_naive().and_time(time)).earliest()
    };
    let begin = (0..6).find_map(begins);
    begin.map_or(0, |begin| ms - begin.timestamp_millis())
}

fn values(engine: &mut Engine) {
    engine.register_type_with_name::<Item>("statistic");
    engine.register_get("name", |item: &mut Item| item.name.clone());
    engine.register_get("value", |item: &mut Item| dynamic(item.value));
    engine.register_get("group", |item: &mut Item| split_name(&item.name).0.to_owned());
    engine.register_get("bare", |item: &mut Item| split_name(&item.name).1.to_owned());
    engine.register_get("box", |item: &mut Item| item.box_name.clone().map_or(Dynamic::UNIT, Dynamic::from));
    engine.register_fn("to_string", |item: &mut Item| item.name.clone());
    engine.register_fn("to_json", |value: Dynamic| told(json_of(&value).map(|json| json.to_string())));
    engine.register_fn("to_json", |value: &mut Map| told(json_of(&Dynamic::from(value.clone())).map(|json| json.to_string())));
    engine.register_fn("parse_json", |text: &str| -> Word<Dynamic> {
        serde_json::from_str(text).map(value_of).map_err(|error| format!("this is no JSON: {error}").into())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_when_its_clocks_say_so() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
        for (instant, name, hours) in [
            ("2026-06-01T10:00:00Z", "UTC", 10.0),
            ("2026-06-01T10:00:00Z", "Europe/Berlin", 12.0),
            // The day has 23 and 25 hours.
            ("2026-03-29T21:59:00Z", "Europe/Berlin", 22.983_333),
            ("2026-10-25T22:30:00Z", "Europe/Berlin", 24.5),
            // It begins at one.
            ("2026-03-29T09:00:00Z", "Asia/Beirut", 11.0),
        ] {
            let since = since_midnight(at(instant), zone(name).unwrap());
            assert_eq!(since / 60_000, (hours * 60.0_f64).round() as i64, "{instant} {name}");
        }
        assert!(zone("Europe/Nowhere").is_err());
        let told = time(at("2026-11-27T23:30:05Z"), zone("Europe/Berlin").unwrap());
        assert_eq!(told["text"].to_string(), "2026-11-28T00:30:05+01:00");
        assert_eq!((told["weekday"].as_int().unwrap(), told["date"].to_string()), (6, "2026-11-28".to_owned()));
    }

    #[test]
    fn values_of_statistics_are_whole() {
        assert_eq!((whole(&2.5.into()).unwrap(), whole(&(-3_i64).into()).unwrap()), (3, -3));
        for wrong in [Dynamic::from(f64::NAN), 1e300.into(), "5".into(), Dynamic::UNIT] {
            assert!(whole(&wrong).is_err());
        }
    }
}
