"""May a new model take the champion's place?"""
