//! The only place that prints: one document or text on standard output, errors and progress on standard error.

use std::io::{self, Write as _};

use serde_json::{Value, json};

use super::exit::{CliError, Exit};
pub(super) use crate::status::words::bytes;

/// How the user wants to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// One JSON document instead of text.
    pub json: bool,
    /// Nothing but errors and what was asked for.
    pub quiet: bool,
}

/// What a command has to say.
#[derive(Debug)]
pub(super) struct Answer {
    /// For people.
    pub text: String,
    /// For `--json`.
    pub json: Value,
    /// The exit code.
    pub exit: Exit,
    /// What could not be done beside what was: it goes to standard error.
    pub errors: Vec<CliError>,
}

impl Answer {
    /// An answer with its exit code.
    pub(super) fn new(text: impl Into<String>, json: Value, exit: Exit) -> Self {
        Self { text: text.into(), json, exit, errors: Vec::new() }
    }

    /// The answer yes.
    pub(super) fn yes(text: impl Into<String>, json: Value) -> Self {
        Self::new(text, json, Exit::Yes)
    }
}

/// Prints the answer of a command and returns its exit code.
pub(super) fn print(outcome: Result<Answer, CliError>, style: Style) -> Exit {
    match outcome {
        Ok(answer) => {
            if style.json {
                write_out(&format!("{:#}\n", answer.json));
            } else {
                write_out(&answer.text);
            }
            answer.errors.iter().for_each(|error| print_error(error, style));
            answer.exit
        }
        Err(error) => {
            print_error(&error, style);
            error.exit
        }
    }
}

fn print_error(error: &CliError, style: Style) {
    let CliError { code, message, help, .. } = error;
    if style.json {
        write_err(&format!("{}\n", json!({ "error": { "code": code, "message": message, "help": help } })));
        return;
    }
    write_err(&format!("error: {message}\n"));
    if let Some(help) = help {
        write_err(&format!("help: {help}\n"));
    }
}

/// Prints a piece of a longer story as it happens.
pub(super) fn say(text: &str, style: Style) {
    if !style.json && !style.quiet {
        write_out(text);
    }
}

/// Prints a line of progress or a warning.
pub(super) fn note(text: &str) {
    write_err(&format!("{text}\n"));
}

/// Rows under a heading, columns as wide as their widest cell.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heading[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(heading.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

/// A closed standard output (`guard list | head`) is no reason to fail.
fn write_out(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn write_err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Asks a question on the terminal, without a line's end.
pub(super) fn ask(question: &str) {
    write_err(question);
}
