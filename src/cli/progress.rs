//! How far a campaign has come: a bar on a terminal, elsewhere a line now and then. And wall time, which nothing else sees.

use crate::cli::output::Output;
use crate::fuzz::run_seed;
use core::time::Duration;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Wall time: for progress and for `--time` only, never for what a run does.
#[expect(clippy::disallowed_types, reason = "a campaign may be bounded by wall time; no run ever sees it")]
pub(crate) struct Watch(std::time::Instant);

#[expect(clippy::disallowed_types, reason = "see Watch")]
impl Watch {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// A seed for a campaign that is given none. It is printed, and decides everything from then on.
    pub(crate) fn new_seed() -> u64 {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        run_seed(u64::from(std::process::id()), u64::try_from(now.as_nanos()).unwrap_or(now.as_secs()))
    }
}

/// So many runs in so much time, for people.
pub(crate) fn rate(runs: u64, elapsed: Duration) -> String {
    let millis = elapsed.as_millis().max(1);
    format!(
        "{}.{:01} s, {} runs a second",
        millis / 1_000,
        millis % 1_000 / 100,
        u128::from(runs) * 1_000 / millis
    )
}

/// How far it has come.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    said: Duration,
}

const SAY_EVERY: Duration = Duration::from_secs(20);

impl Progress {
    /// Of so many runs; none if nobody knows how many there will be.
    pub(crate) fn new(count: Option<u64>, output: &Output) -> Self {
        let bar = output.draws_progress().then(|| {
            let bar = ProgressBar::with_draw_target(count, ProgressDrawTarget::stderr());
            let template = if count.is_some() {
                "{bar:30} {pos}/{len} runs {msg} {eta}"
            } else {
                "{spinner} {pos} runs {msg} {elapsed}"
            };
            ProgressStyle::with_template(template).map(|style| bar.set_style(style)).unwrap_or_default();
            bar
        });
        Self { bar, quiet: output.quiet, said: Duration::ZERO }
    }

    pub(crate) fn at(&mut self, runs: u64, failed: u64, watch: &Watch) {
        let told = if failed == 0 { "no violation".to_string() } else { format!("{failed} failed") };
        if let Some(bar) = &self.bar {
            bar.set_position(runs);
            bar.set_message(told);
        } else if !self.quiet && watch.elapsed() >= self.said + SAY_EVERY {
            self.said = watch.elapsed();
            // Nobody is left to tell if standard error is gone.
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{runs} runs, {told}\n"));
        }
    }

    pub(crate) fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
