"""Components that write: `attn_lemmatizer`, `attn_transducer` and `attn_seq2seq`."""
