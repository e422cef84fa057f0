//! Many requests at once.

use crate::kit::wire::Answer;

/// Sends the same kind of request `count` times at once.
pub async fn burst<F, R>(count: usize, one: F) -> Vec<Answer>
where
    F: Fn(usize) -> R,
    R: Future<Output = Answer> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(one(n))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

pub fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}
