"""Fine-tuning of vision-language models on cross-view questions, and a small one from nothing."""
