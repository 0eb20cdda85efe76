"""What measures spacy-attn beside its peers: accuracy, speed, memory and faithfulness."""
