//! Charts as inline SVG without scripts: lines over time that any width may stretch, with every word in HTML around them.
//!
//! The drawing is stretched to its box (`preserveAspectRatio="none"`); strokes keep their width and dots stay round because
//! they are strokes that do not scale. Words in the drawing would be stretched too, so there are none but titles.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::status::words;

/// One line of a chart.
pub(super) struct Series {
    /// What it shows.
    pub(super) label: &'static str,
    /// Its class in the style sheet: `one`, `two` or `bad`.
    pub(super) class: &'static str,
    /// Whether its points are joined.
    pub(super) joined: bool,
    /// Its points, oldest first.
    pub(super) points: Vec<Dot>,
}

/// One point.
pub(super) struct Dot {
    pub(super) at: DateTime<Utc>,
    pub(super) value: f64,
    /// The point in words.
    pub(super) title: String,
}

/// A chart with its axes.
pub(super) struct Chart {
    /// Its heading.
    pub(super) title: &'static str,
    /// What it shows, for those who do not see it.
    pub(super) summary: String,
    /// What its values are.
    pub(super) unit: Unit,
    /// Its lines.
    pub(super) series: Vec<Series>,
    /// A value that should not be exceeded, and its name.
    pub(super) limit: Option<(f64, &'static str)>,
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Seconds,
}

/// More dots than this hide the line; they show themselves under the pointer.
const DOTS: usize = 32;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;
/// Room for half a dot at the edges.
const MARGIN: f64 = 8.0;

/// The range of the axes.
struct Frame {
    from: i64,
    to: i64,
    top: f64,
}

impl Frame {
    fn place(&self, at: DateTime<Utc>, value: f64) -> (f64, f64) {
        let span = self.to - self.from;
        let share = if span == 0 { 0.5 } else { (at.timestamp() - self.from) as f64 / span as f64 };
        let x = MARGIN + share * (WIDTH - 2.0 * MARGIN);
        (x, HEIGHT - MARGIN - value / self.top * (HEIGHT - 2.0 * MARGIN))
    }
}

impl Chart {
    /// The chart as a figure.
    pub(super) fn render(&self) -> Markup {
        let Some(frame) = self.frame() else {
            return html! { figure.chart { figcaption { (self.title) } p.muted { "Nothing to draw yet." } } };
        };
        let day =
            |time: i64| DateTime::<Utc>::from_timestamp(time, 0).unwrap_or_default().format("%Y-%m-%d").to_string();
        html! {
            figure.chart {
                figcaption {
                    (self.title)
                    span.legend {
                        @for series in &self.series {
                            @if !series.points.is_empty() { span class=(format!("key {}", series.class)) { (series.label) } }
                        }
                        @if let Some((_, name)) = self.limit_in(&frame) { span.key.limit { (name) } }
                    }
                }
                div.plot {
                    div.y aria-hidden="true" {
                        span { (self.unit.words(frame.top)) } span { (self.unit.words(frame.top / 2.0)) } span { "0" }
                    }
                    (self.drawing(&frame))
                    div.x aria-hidden="true" {
                        span { (day(frame.from)) }
                        @if day(frame.from) != day(frame.to) { span { (day(frame.to)) } }
                    }
                }
            }
        }
    }

    fn drawing(&self, frame: &Frame) -> Markup {
        let level = |share: f64| HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(self.summary) {
                title { (self.summary) }
                @for share in [0.0, 0.5, 1.0] {
                    path.grid d=(format!("M0 {0:.1}H{WIDTH}", level(share))) {}
                }
                @if let Some((limit, _)) = self.limit_in(frame) {
                    path.limit d=(format!("M0 {:.1}H{WIDTH}", frame.place(DateTime::UNIX_EPOCH, limit).1)) {}
                }
                @for series in &self.series {
                    g class=(if series.joined && series.points.len() > DOTS { format!("{} many", series.class) } else { series.class.to_owned() }) {
                        @if series.joined && series.points.len() > 1 {
                            path.area d=(format!("{}V{:.1}H{:.1}Z", line(frame, series), level(0.0), first_x(frame, series))) {}
                            path.line d=(line(frame, series)) {}
                        }
                        @for dot in &series.points {
                            @let (x, y) = frame.place(dot.at, dot.value);
                            path.dot d=(format!("M{x:.1} {y:.1}h0")) { title { (dot.title) } }
                        }
                    }
                }
            }
        }
    }

    fn frame(&self) -> Option<Frame> {
        let dots = || self.series.iter().flat_map(|series| &series.points);
        let from = dots().map(|dot| dot.at.timestamp()).min()?;
        let to = dots().map(|dot| dot.at.timestamp()).max()?;
        let largest = dots().map(|dot| dot.value).fold(0.0, f64::max);
        Some(Frame { from, to, top: self.unit.round_up(largest) })
    }

    /// A limit far above everything would flatten the lines.
    fn limit_in(&self, frame: &Frame) -> Option<(f64, &'static str)> {
        self.limit.filter(|(limit, _)| *limit <= frame.top)
    }
}

/// A line without axes, as high as a word.
pub(super) fn spark(label: &str, points: &[(DateTime<Utc>, f64)]) -> Markup {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return html! {} };
    if points.len() < 2 {
        return html! {};
    }
    let largest = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let frame =
        Frame { from: first.0.timestamp(), to: last.0.timestamp(), top: if largest > 0.0 { largest } else { 1.0 } };
    let places: Vec<(f64, f64)> = points.iter().map(|(at, value)| frame.place(*at, *value)).collect();
    let steps: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let line = format!("M{}", steps.join("L"));
    let end = places.last().map_or(0.0, |(x, _)| *x);
    html! {
        svg.spark viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(label) {
            title { (label) }
            g.one {
                path.area d=(format!("{line}L{end:.1} {HEIGHT}H{:.1}Z", places[0].0)) {}
                path.line d=(line) {}
                @if let Some((x, y)) = places.last() { path.dot d=(format!("M{x:.1} {y:.1}h0")) {} }
            }
        }
    }
}

/// A bar that is filled up to what is measured, as a share of what is allowed.
pub(super) fn gauge(label: &str, measured: f64, allowed: f64) -> Markup {
    let share = if allowed > 0.0 { measured / allowed } else { 1.0 };
    let class = if share > 1.0 {
        "gauge over"
    } else if share > 0.9 {
        "gauge near"
    } else {
        "gauge"
    };
    let filled = (share.clamp(0.0, 1.0) * 100.0).max(1.0);
    html! {
        svg class=(class) viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=(label) {
            title { (label) }
            rect.track width="100" height="4" {}
            rect.fill width=(format!("{filled:.1}")) height="4" {}
        }
    }
}

impl Unit {
    fn words(self, value: f64) -> String {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an axis has no negative values"
            )]
            Self::Bytes => words::bytes(value as u64).replace(".0 ", " "),
            Self::Seconds => words::seconds(value).replace(".0 ", " "),
        }
    }

    /// The next value that reads well, and half of which does.
    fn round_up(self, largest: f64) -> f64 {
        if largest <= 0.0 {
            return 1.0;
        }
        let decimal = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0];
        let of_magnitude = |largest: f64| {
            let magnitude = 10f64.powf(largest.log10().floor());
            decimal.into_iter().map(|step| step * magnitude).find(|top| *top >= largest).unwrap_or(largest)
        };
        match self {
            Self::Bytes => {
                let unit = 1024f64.powf((largest.ln() / 1024f64.ln()).floor().max(0.0));
                of_magnitude(largest / unit) * unit
            }
            Self::Seconds => {
                let steps =
                    [60.0, 120.0, 240.0, 360.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 43200.0];
                let step = steps.into_iter().find(|top| *top >= largest);
                if largest <= 10.0 {
                    of_magnitude(largest)
                } else {
                    step.unwrap_or((largest / 86_400.0).ceil() * 86_400.0)
                }
            }
        }
    }
}

fn line(frame: &Frame, series: &Series) -> String {
    let places = series.points.iter().map(|dot| frame.place(dot.at, dot.value));
    let steps: Vec<String> = places.map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    format!("M{}", steps.join("L"))
}

fn first_x(frame: &Frame, series: &Series) -> f64 {
    series.points.first().map_or(0.0, |dot| frame.place(dot.at, dot.value).0)
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn axes_end_at_values_that_read_well() {
        let check = |unit: Unit, largest: f64, top: &str, half: &str| {
            let rounded = unit.round_up(largest);
            assert!(rounded >= largest, "{largest}");
            assert_eq!((unit.words(rounded).as_str(), unit.words(rounded / 2.0).as_str()), (top, half), "{largest}");
        };
        check(Unit::Bytes, 900.0 * 1024.0 * 1024.0, "1000 MiB", "500 MiB");
        check(Unit::Bytes, 2.6 * 1024.0 * 1024.0 * 1024.0, "3 GiB", "1.5 GiB");
        check(Unit::Bytes, 1024.0, "1 KiB", "512 B");
        check(Unit::Seconds, 0.35, "0.4 s", "0.2 s");
        check(Unit::Seconds, 45.0, "1 min", "30 s");
        check(Unit::Seconds, 1044.0, "20 min", "10 min");
        check(Unit::Seconds, 200_000.0, "3 d", "36 h");
        check(Unit::Seconds, 0.0, "1 s", "0.5 s");
    }
}
