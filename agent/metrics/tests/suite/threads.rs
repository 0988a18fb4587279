use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use remora_metrics::Registry;

use crate::{sample, scrape};

#[test]
fn nothing_is_lost_when_threads_write_read_and_remove_at_once() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 5_000;
    let registry = Registry::default();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut scrapes = 0;
            while !done.load(Ordering::Relaxed) || scrapes == 0 {
                scrape(&registry);
                scrapes += 1;
            }
        });
        let writers: Vec<_> = (1..=THREADS)
            .map(|script| {
                let registry = &registry;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let of = (round % 16).to_string();
                        let labels = [("of", of.as_str())];
                        registry.vector(script, &sample("together_total", 1, 1.0, &labels)).unwrap();
                        let name = format!("alone{script}");
                        registry.metric(script, &sample(&name, 2, round as f64, &labels)).unwrap();
                        if round % 100 == 0 {
                            registry.remove_owner(script + THREADS);
                            registry.vector(script + THREADS, &sample("brief", 1, 1.0, &[])).unwrap();
                        }
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    let total: u64 = scrape(&registry)
        .lines()
        .filter(|line| line.starts_with("together_total{"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum();
    assert_eq!(total, THREADS * ROUNDS);
    (1..=2 * THREADS).for_each(|script| registry.remove_owner(script));
    assert_eq!(registry.usage().bytes, 0);
}
